"""Fingerprints of local files and folders: what they hold, not where they are."""

import hashlib
from pathlib import Path

HEAD = 64 * 1024
WHOLE = 4 * 1024 * 1024
"""Files up to this size are read whole, larger ones (weights) by their size and first 64 KiB."""


def file_fingerprint(path: Path) -> str:
    """Return 16 hexadecimal digits of the content of `path`, or of size and head where it is large."""
    digest = hashlib.sha256()
    _add(digest, path)
    return digest.hexdigest()[:16]


def folder_fingerprint(folder: Path) -> str:
    """Return 16 hexadecimal digits of the names and contents of the visible files below `folder`."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in relative.parts):
            digest.update(f"{relative.as_posix()}\0".encode())
            _add(digest, path)
    return digest.hexdigest()[:16]


def _add(digest: "hashlib._Hash", path: Path) -> None:
    size = path.stat().st_size
    digest.update(f"{size}\0".encode())
    with path.open("rb") as file:
        digest.update(file.read(size if size <= WHOLE else HEAD))
