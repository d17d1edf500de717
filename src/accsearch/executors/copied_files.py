"""The files of an attempt on a node, as they come to the work directory: in pieces, each with its place in the file.

The node keeps them in a work directory of its own and is asked for what has been added. Whether the machines share a
file system does not matter, and no file has two writers.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from accsearch.workdir import TaskPaths

MOST = 8 << 20
"""Bytes that are sent at once at most."""
LOG, RESULTS = "log", "results"


@dataclass(frozen=True, slots=True)
class Piece:
    """What stands in a file from `offset` on; `file` is `log`, `results` or an image below the task's folder."""

    file: str
    offset: int
    data: bytes


class Source:
    """The files on the node, from which each piece is taken once."""

    def __init__(self, paths: TaskPaths, have: Mapping[str, int]) -> None:
        """Begin with what the other side has already: the sizes of the log and of the results."""
        self._paths = paths
        self._sent = {LOG: have.get(LOG, 0), RESULTS: have.get(RESULTS, 0)}
        self._images: dict[str, tuple[int, int]] = {}

    def pieces(self) -> list[Piece]:
        """Return what is new, up to `MOST` bytes; nothing where all has been sent."""
        found: list[Piece] = []
        room = MOST
        for piece in self._new():
            found.append(piece)
            room -= len(piece.data)
            if room <= 0:
                break
        return found

    def _new(self) -> Iterator[Piece]:
        for name, path in ((RESULTS, self._paths.results), (LOG, self._paths.log)):
            size = _size(path)
            if size < self._sent[name]:
                self._sent[name] = 0  # it was shortened: what was sent does not stand any more
            if size > self._sent[name]:
                piece = Piece(name, self._sent[name], _read(path, self._sent[name], MOST))
                self._sent[name] += len(piece.data)
                yield piece
        yield from self._new_images()

    def _new_images(self) -> Iterator[Piece]:
        folder = self._paths.images
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            found = path.stat()
            name, sign = str(path.relative_to(folder)), (found.st_size, found.st_mtime_ns)
            if path.is_file() and self._images.get(name) != sign:
                self._images[name] = sign
                yield Piece(name, 0, path.read_bytes())


class Destination:
    """The files in the work directory, to which pieces are written."""

    def __init__(self, paths: TaskPaths) -> None:
        self._paths = paths

    def have(self) -> dict[str, int]:
        """Return how many bytes of the log and of the results stand."""
        return {LOG: _size(self._paths.log), RESULTS: len(whole_lines(self._paths.results))}

    def write(self, piece: Piece) -> None:
        """Put a piece in its place; what stood behind it is gone. Raises OSError."""
        if piece.file in (LOG, RESULTS):
            path = self._paths.log if piece.file == LOG else self._paths.results
        else:
            path = self._paths.images / piece.file
            if not path.resolve().is_relative_to(self._paths.images.resolve()):
                raise PermissionError(f"a node sent the file {piece.file!r}")
            path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, piece.offset)
            view, at = memoryview(piece.data), piece.offset
            while view:
                written = os.pwrite(descriptor, view, at)
                view, at = view[written:], at + written
            if piece.file == RESULTS:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)


def whole_lines(path: Path) -> bytes:
    """Return a file without a torn last line, which its next writer overwrites; nothing if there is no file."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return b""
    return data[: data.rfind(b"\n") + 1]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _read(path: Path, offset: int, most: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(most)
