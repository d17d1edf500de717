"""Fingerprints of local files and folders: what they hold, not where they are."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from accsearch.config.hash_cache import HashCache

WHOLE = 4 * 1024 * 1024
"""Larger files (weights) are read in several threads, and their hash is kept for the next time."""
BLOCK = 16 * 1024 * 1024
MAX_THREADS = 8


def file_fingerprint(path: Path) -> str:
    """Return 16 hexadecimal digits of the content of `path`; raises OSError."""
    digest, cache = hashlib.sha256(), HashCache.open()
    _add(digest, path, cache)
    cache.save()
    return digest.hexdigest()[:16]


def folder_fingerprint(folder: Path, skip: Callable[[Path], bool] | None = None) -> str:
    """Return 16 hexadecimal digits of the names and contents of the visible files below `folder`.

    Links are followed, to folders too. `skip` is given a path relative to `folder` and names files that do not
    count. Raises OSError.
    """
    digest, cache = hashlib.sha256(), HashCache.open()
    for relative in sorted(_visible(folder)):
        if skip is None or not skip(relative):
            digest.update(f"{relative.as_posix()}\0".encode())
            _add(digest, folder / relative, cache)
    cache.save()
    return digest.hexdigest()[:16]


def command_fingerprint(command: Sequence[str]) -> str:
    """Return 16 hexadecimal digits of a command: names, arguments, and the contents of arguments that are files.

    What the program itself loads, as the packages of an interpreter, is not covered. Raises OSError.
    """
    digest, cache = hashlib.sha256(), HashCache.open()
    for number, argument in enumerate(command):
        is_file = Path(argument).is_file()
        digest.update(f"{Path(argument).name if is_file or number == 0 else argument}\0".encode())
        if is_file and number > 0:
            _add(digest, Path(argument), cache)
    cache.save()
    return digest.hexdigest()[:16]


def _visible(folder: Path, above: tuple[str, ...] = ()) -> Iterator[Path]:
    """Yield the files below `folder`, relative to it; a link that leads back to a folder above it is left out."""
    real = os.path.realpath(folder)
    if real in above:
        return
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from (Path(path.name) / below for below in _visible(path, (*above, real)))
        elif path.is_file():
            yield Path(path.name)


def _add(digest: "hashlib._Hash", path: Path, cache: HashCache) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        before = os.fstat(descriptor)
        digest.update(f"{before.st_size}\0".encode())
        if before.st_size <= WHOLE:
            digest.update(_block(descriptor, 0, before.st_size))
            return
        known = cache.get(before)
        if known is None:
            known = _hash_blocks(descriptor, before.st_size)
            if cache.same(before, os.fstat(descriptor)):
                cache.put(before, known)
        digest.update(known.encode())
    finally:
        os.close(descriptor)


def _hash_blocks(descriptor: int, size: int) -> str:
    """Return the SHA-256 of the SHA-256 of each block; hashing and reading both release the interpreter's lock."""

    def hashed(start: int) -> bytes:
        return hashlib.sha256(_block(descriptor, start, min(BLOCK, size - start))).digest()

    whole = hashlib.sha256()
    with ThreadPoolExecutor(min(MAX_THREADS, len(os.sched_getaffinity(0)))) as threads:
        for digest in threads.map(hashed, range(0, size, BLOCK)):
            whole.update(digest)
    return whole.hexdigest()


def _block(descriptor: int, start: int, size: int) -> bytes:
    """Read `size` bytes from `start`, fewer only where the file has become shorter."""
    parts = []
    while size > 0 and (part := os.pread(descriptor, size, start)):
        parts.append(part)
        start, size = start + len(part), size - len(part)
    return b"".join(parts)
