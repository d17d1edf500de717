"""A task's results file: a JSON object a line, appended as each trial ends; a trial's last line wins."""

import errno
import json
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from accsearch.errors import StorageError
from accsearch.result_lines.line import ResultLine
from accsearch.task import Trial
from accsearch.workdir import sync_folder


def append(path: Path, line: ResultLine) -> None:
    """Append `line` and sync it; a torn last line of a killed attempt is cut off first.

    Raises StorageError, and leaves the file as it was, if there is no room.
    """
    data = json.dumps(line.to_json(), allow_nan=False).encode() + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            size = _cut_torn_tail(descriptor)
            written = os.write(descriptor, data)
            if written != len(data):
                os.ftruncate(descriptor, size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if new:
            sync_folder(path.parent)
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error


def _cut_torn_tail(descriptor: int) -> int:
    """Truncate the file after its last newline and return its size."""
    end = size = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - 65536)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end != size:
        os.ftruncate(descriptor, end)
    return end


def read(path: Path) -> list[ResultLine]:
    """Return the lines in the order written; none if there is no file.

    A line that is torn (the last one) or is not a result line is left out: its trial counts as not measured.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error
    lines = []
    for raw in data.split(b"\n")[:-1]:
        try:
            value = json.loads(raw, parse_constant=_refuse)
            if isinstance(value, dict):
                lines.append(ResultLine.from_json(value))
        except (ValueError, TypeError):
            continue
    return lines


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def latest(lines: Iterable[ResultLine]) -> dict[str, ResultLine]:
    """Return the last line of each trial, by trial id."""
    return {line.trial: line for line in lines}


def validate(path: Path, trials: Sequence[Trial]) -> str | None:
    """Return what is wrong with the results of a task that says it is complete, or None.

    Every trial must be `pruned`, or `ok` with a time and, where a scorer ran, a finite score for each prompt.
    """
    found = latest(read(path))
    wrong = [f"{trial.id}: {why}" for trial in trials if (why := fault(found.get(trial.id)))]
    if not wrong:
        return None
    shown = "; ".join(wrong[:3])
    return shown if len(wrong) <= 3 else f"{shown}; and {len(wrong) - 3} more"


def fault(line: ResultLine | None) -> str | None:
    """Return why a trial's line is not complete, or None."""
    if line is None:
        return "no result"
    if line.status == "failed":
        return f"failed: {line.error or 'no reason given'}"
    if line.status == "pruned":
        return None
    if not line.seconds_per_image or line.seconds_per_image <= 0:
        return "no time per image"
    if line.scores:
        if len(line.scores) != line.num_samples:
            return f"{len(line.scores)} scores for {line.num_samples} prompts"
        if line.clip_score is None or any(s is None or not math.isfinite(s) for s in line.scores):
            return "a score is not a number"
    return None
