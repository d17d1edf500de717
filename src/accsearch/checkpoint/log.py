"""What a log says about an attempt, read in bounded memory; a log is bytes of any encoding."""

import mmap
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from accsearch.checkpoint.progress_bar import ends_with_bar, is_bar, without_control

TAIL = 64 * 1024
"""Bytes of a log's end that are searched for an error."""

SENTINEL_TAIL = 4 * 1024
"""Bytes of a finished task's log that must hold the success sentinel."""

WIDEST = 8 * 1024
"""Bytes of a line that are looked at before and behind the success sentinel."""

_FINAL_LINE = re.compile(r"^(?:[A-Za-z_]\w*\.)*\w*(?:Error|Exception|Exit|Interrupt|Warning)\b(?::|$)")
_SPEAKS_OF_ERROR = re.compile(r"\b(error|fatal|failed|cannot|killed|abort)", re.IGNORECASE)
_ERROR = "error: "
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

    A carriage return ends a line too. White space after the text, colours round it, and a progress bar that no
    newline has ended, before it or right behind it, do not count; any other text on the line does.
    """
    wanted = text.encode()
    with _mapped(path) as data:
        place = data.rfind(wanted) if wanted else -1
        while place >= 0:
            end = place + len(wanted)
            if _is_apart(_line_before(data, place), _line_after(data, end)):
                return len(data) - place
            place = data.rfind(wanted, 0, end - 1)
    return None


def _is_apart(before: str, after: str) -> bool:
    """Return whether what stands on a line before and after a text is none of its line's content."""
    return (not before or ends_with_bar(before)) and (not after.strip() or is_bar(after))


def _line_before(data: mmap.mmap | bytes, place: int) -> str:
    start = max(0, place - WIDEST)
    piece = bytes(data[start:place])
    cut = max(piece.rfind(b"\n"), piece.rfind(b"\r"))
    return without_control(piece[cut + 1 :].decode(errors="replace"))


def _line_after(data: mmap.mmap | bytes, end: int) -> str:
    piece = bytes(data[end : end + WIDEST]).replace(b"\r", b"\n")
    return without_control(piece.split(b"\n", 1)[0].decode(errors="replace"))


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


def last_error(tail: bytes, *, own_worker: bool = False) -> str | None:
    """Return the line that says best what went wrong, or None where nothing was printed.

    Our own worker ends with a line `error: …`. Else the last line of a traceback is preferred, then the last line
    that speaks of an error, then the last that is not a progress bar.
    """
    lines: list[str] = [line.rstrip() for line in re.split(r"[\r\n]+", tail.decode(errors="replace"))]
    said: list[str] = [line for line in lines if line.strip() and not _PROGRESS_BAR.search(line)]
    if own_worker and (ends := [line for line in said if line.startswith(_ERROR)]):
        return ends[-1].removeprefix(_ERROR).strip()
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
