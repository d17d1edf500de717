"""Remove what a work directory knows of a configuration."""

import difflib
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass

from accsearch.checkpoint.running_attempt import attempt_of
from accsearch.errors import StorageError, UsageError
from accsearch.result_lines.file import read
from accsearch.workdir import DONE, RESULTS, RUNNING, WorkDir


@dataclass(frozen=True, slots=True)
class Contents:
    """What stands to be removed of one configuration."""

    config: str
    done: int
    """Finished tasks."""
    measured: int
    """Trials with a result."""
    files: int

    def __str__(self) -> str:
        return (
            f"{self.config}: {self.done} finished tasks, {self.measured} measured trials, {self.files} files"
        )


def contents(workdir: WorkDir, configs: Sequence[str]) -> list[Contents]:
    """Return what the work directory holds of `configs`.

    Raises UsageError for a name it does not know, and where a worker of one is still at work.
    """
    known = sorted({path.name for folder in workdir.folders("") for path in folder.glob("*/")})
    for config in configs:
        if config not in known:
            near = difflib.get_close_matches(config, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"{workdir.root} holds no configuration {config}{hint}")
    return [_contents(workdir, config) for config in dict.fromkeys(configs)]


def remove_config(workdir: WorkDir, config: str) -> None:
    """Remove the folders of a configuration; a crash in between leaves a part that can be removed again."""
    try:
        # First what makes it known as one that was run.
        workdir.plan(config).unlink(missing_ok=True)
        for folder in workdir.folders(config):
            if folder.exists():
                shutil.rmtree(folder)
    except OSError as error:
        raise StorageError(f"{error.filename}: {error.strerror}") from error


def _contents(workdir: WorkDir, config: str) -> Contents:
    # By the markers alone: a plan that cannot be read any more can be removed too.
    for name, _ in workdir.marked(RUNNING, config):
        attempt = attempt_of(workdir.task(*name.split("/")), time.time())
        if attempt is not None and (attempt.alive or attempt.orphan_pid is not None):
            raise UsageError(f"{name}: {attempt.why}; nothing is removed while it is at work")
    folders = workdir.folders(config)
    files = sum(path.is_file() for folder in folders for path in folder.rglob("*"))
    lines = (read(path) for path in folders[2].glob(f"*{RESULTS}"))
    measured = sum(len({line.trial for line in each if line.status == "ok"}) for each in lines)
    return Contents(config, len(workdir.marked(DONE, config)), measured, files)
