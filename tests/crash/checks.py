"""What must hold of a work directory at any moment, and at the end of everything."""

import json
from pathlib import Path
from typing import Any

from tests.faults.program import Work, await_end, processes_of

from accsearch.checkpoint.markers import read_done


def done_markers(work: Work) -> dict[str, str]:
    """Return task → nonce of every `.done`; each must be whole, whatever has happened."""
    found = {}
    for path in sorted((work.root / "checkpoints").glob("*/*.done")):
        marker = read_done(path)
        assert marker is not None and marker.task == path.stem, path
        found[marker.task] = marker.nonce
    return found


def assert_sound(work: Work) -> None:
    """Check what no fault may break: each marker that others read is whole JSON, or is not there."""
    done_markers(work)
    for pattern in ("*/*.failed", "*/*.running", "*/*.exit", "*/plan.json"):
        for path in (work.root / "checkpoints").glob(pattern):
            content: Any = json.loads(path.read_bytes())
            assert isinstance(content, dict), path


def assert_complete(work: Work, tasks: list[str]) -> None:
    """Check that every task is done and that nothing but results of that is left."""
    assert_sound(work)
    assert sorted(done_markers(work)) == sorted(tasks)
    for pid in processes_of(work.folder):
        await_end(pid)  # a keeper that has just lost its scheduler
    assert leftovers(work.root) == []


def leftovers(root: Path) -> list[str]:
    """Return the files that a finished run has no use for: temporary ones, locks, markers of attempts."""
    kept = {".done", ".exit", ".log", ".jsonl", ".aside"}
    files = [path for path in root.rglob("*") if path.is_file()]
    return sorted(str(path) for path in files if path.suffix not in kept and path.name != "plan.json")
