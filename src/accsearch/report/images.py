"""Thumbnails of kept images as data URIs."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from accsearch.workdir import TaskPaths

EDGE = 96
"""Longest edge of a thumbnail, in pixels."""
PER_TRIAL = 4
AS_IT_IS = 48 * 1024
"""Bytes of an image file that is embedded unchanged where Pillow is not installed."""


class Thumbnail(NamedTuple):
    """An image as a data URI, and its name in words."""

    source: str
    name: str


class Thumbnails:
    """Embeds images until their data URIs fill a budget, so that a page can be opened."""

    def __init__(self, budget: int = 6 << 20) -> None:
        self._left = budget

    def of_trial(self, paths: TaskPaths, trial: str) -> Sequence[Thumbnail]:
        """Return the first images of a trial, in the order of their names; none where none are kept."""
        shown = []
        for path in sorted((paths.images / trial).glob("*.png"))[:PER_TRIAL]:
            data = _small(path)
            if data is None:
                continue
            if len(data) > self._left:
                break
            self._left -= len(data)
            shown.append(Thumbnail(data, f"{trial} {path.stem}"))
        return shown


def _small(path: Path) -> str | None:
    """Return the image as a data URI of at most EDGE pixels, or None if it cannot be made small."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        data = path.read_bytes()
        return _uri("png", data) if len(data) <= AS_IT_IS else None
    file = io.BytesIO()
    try:
        with Image.open(path) as image:
            small = image.convert("RGB")
            small.thumbnail((EDGE, EDGE))
            small.save(file, "JPEG", quality=85)
    except (OSError, UnidentifiedImageError):
        return None
    return _uri("jpeg", file.getvalue())


def _uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
