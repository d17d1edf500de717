"""Folders and files of 10,000 tasks, read with few and plain system calls."""

import os
from collections.abc import Iterable, Set
from pathlib import Path

from accsearch.checkpoint.log import SENTINEL_TAIL
from accsearch.workdir import LOG, RESULTS

_BLOCK = 1 << 13


def attempts(logs: Iterable[str], ids: Set[str]) -> dict[str, int]:
    """Return the number of the last attempt of each task, out of `T.log` and what `TaskPaths.log_of` gives."""
    rotated: dict[str, int] = {}
    current = []
    for name in logs:
        stem = name.removesuffix(LOG)
        if stem in ids:
            current.append(stem)
            continue
        task, _, number = stem.rpartition(".")
        number = number.removeprefix("~")
        if number.isdecimal():
            rotated[task] = max(rotated.get(task, 0), int(number))
    return rotated | {task: rotated.get(task, 0) + 1 for task in current}


def names(folder: Path) -> list[str]:
    """Return the names in a folder, none where it does not exist."""
    try:
        return os.listdir(folder)  # noqa: PTH208 - a Path for each of 10,000 names is slow
    except FileNotFoundError:
        return []


def sizes(folder: Path) -> dict[str, int]:
    """Return the bytes of each results file in a folder."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry.stat().st_size for entry in entries if entry.name.endswith(RESULTS)}
    except FileNotFoundError:
        return {}


def read_all(path: str) -> bytes:
    """Return a small file's content."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = block = os.read(descriptor, _BLOCK)
        while len(block) == _BLOCK:
            block = os.read(descriptor, _BLOCK)
            data += block
        return data
    finally:
        os.close(descriptor)


def tail(path: str) -> bytes | None:
    """Return the end of a log, or None where it was deleted."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        size = os.lseek(descriptor, 0, os.SEEK_END)
        return os.pread(descriptor, SENTINEL_TAIL, max(0, size - SENTINEL_TAIL))
    finally:
        os.close(descriptor)
