"""What a log says about an attempt, read in bounded memory; a log is bytes of any encoding."""

import mmap
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

TAIL = 64 * 1024
"""Bytes of a log's end that are searched for an error."""

SENTINEL_TAIL = 4 * 1024
"""Bytes of a finished task's log that must hold the success sentinel."""

_FINAL_LINE = re.compile(r"^(?:[A-Za-z_]\w*\.)*\w*(?:Error|Exception|Exit|Interrupt|Warning)\b(?::|$)")
_SPEAKS_OF_ERROR = re.compile(r"\b(error|fatal|failed|cannot|killed|abort)", re.IGNORECASE)
_PROGRESS_BAR = re.compile(r"\d+%\||it/s[\],]|s/it[\],]")


def read_tail(path: Path, size: int = TAIL) -> bytes:
    """Return the last `size` bytes of a log; nothing if there is none."""
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - size))
            return file.read()
    except FileNotFoundError:
        return b""


def find_line(path: Path, text: str) -> int | None:
    """Return how many bytes before the log's end the last line equal to `text` begins, or None.

    White space after the text, and the carriage returns of a progress bar round it, do not count.
    """
    wanted = text.encode()
    with _mapped(path) as data:
        place = data.rfind(wanted) if wanted else -1
        while place >= 0:
            end = place + len(wanted)
            after = data[end : end + 256].replace(b"\r", b"\n").split(b"\n", 1)[0]
            if (place == 0 or data[place - 1 : place] in (b"\n", b"\r")) and not after.strip():
                return len(data) - place
            place = data.rfind(wanted, 0, place + len(wanted) - 1)
    return None


def find_pattern(path: Path, patterns: Iterable[str]) -> str | None:
    """Return the first line in which one of the regular expressions (multi-line) begins to match, or None."""
    with _mapped(path) as data:
        for pattern in patterns:
            place = _search(pattern, data)
            if place is not None:
                start = data.rfind(b"\n", 0, place) + 1
                shown = bytes(data[start : start + 500]).lstrip(b"\r\n")
                return shown.split(b"\n", 1)[0].decode(errors="replace").strip()
    return None


def _search(pattern: str, data: mmap.mmap | bytes) -> int | None:
    try:
        match = re.search(pattern.encode(), data, re.MULTILINE)
    except re.error:
        # Some escapes, such as \u00e9, exist for text only.
        found = re.search(pattern, bytes(data).decode(errors="replace"), re.MULTILINE)
        return None if found is None else len(found.string[: found.start()].encode())
    return None if match is None else match.start()


def last_error(tail: bytes) -> str | None:
    """Return the line that says best what went wrong, or None where nothing was printed.

    The last line of a traceback is preferred, then the last line that speaks of an error, then the last that
    is not a progress bar.
    """
    lines: list[str] = [line.rstrip() for line in re.split(r"[\r\n]+", tail.decode(errors="replace"))]
    said: list[str] = [line for line in lines if line.strip() and not _PROGRESS_BAR.search(line)]
    for test in (_FINAL_LINE.search, _SPEAKS_OF_ERROR.search):
        for line in reversed(said):
            if test(line):
                return line.strip()
    return said[-1].strip() if said else None


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap | bytes]:
    """Yield the file's content without reading it into memory; nothing if there is none."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                yield b""
                return
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                yield data
    except FileNotFoundError:
        yield b""
