"""Check that the results of finished tasks are still what they were."""

import hashlib
from pathlib import Path

from accsearch.checkpoint.markers import DamagedMarker, read_done
from accsearch.workdir import DONE, WorkDir


def verify(workdir: WorkDir) -> list[str]:
    """Hash the results of every `.done` and return one line for each that does not hold; changes nothing."""
    problems = []
    for name, path in workdir.marked(DONE):
        try:
            done = read_done(path)
        except DamagedMarker as fault:
            problems.append(f"{name}: marker damaged: {fault}")
            continue
        if done is None or done.results is None:
            continue
        found = _hash(workdir.root / done.results.path)
        if found is None:
            problems.append(f"{name}: {done.results.path} is missing")
        elif found != done.results.sha256:
            problems.append(f"{name}: {done.results.path} has changed since the task was done")
    return problems


def _hash(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
