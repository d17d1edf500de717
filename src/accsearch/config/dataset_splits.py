"""Which splits a local data set has, by the names of its files as the package `datasets` reads them."""

import os
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

KEYWORDS: Mapping[str, frozenset[str]] = {
    "train": frozenset({"train", "training"}),
    "validation": frozenset({"validation", "valid", "dev", "val"}),
    "test": frozenset({"test", "testing", "eval", "evaluation"}),
}
MAX_FILES = 10_000
_SLICED = re.compile(r"\w+\[.*\]", re.ASCII)
_BETWEEN_WORDS = re.compile(r"[-._ 0-9]+")
_SHARD = re.compile(r"(.+)-\d{5}-of-\d{5}.*\..*")


def missing_split(folder: Path, split: str) -> str | None:
    """Return what is wrong where the data set in `folder` has no split of that name, None where it may have.

    A data set whose README or script may name its splits is left to the package, as is a name from the hub.
    """
    wanted = split.split("[", 1)[0] if _SLICED.fullmatch(split) else split
    if not folder.is_dir() or not wanted.isidentifier():
        return None
    files = list(islice(_files(folder), MAX_FILES + 1))
    if not files or len(files) > MAX_FILES or any(_may_name_splits(path) for path in files):
        return None
    found = {match[1] for path in files if (match := _SHARD.fullmatch(path.name))}
    words = {word for path in files for part in path.relative_to(folder).parts for word in _words(part)}
    found |= {name for name, keywords in KEYWORDS.items() if keywords & words}
    # Without any such word all files are of one split.
    splits = found or {"train"}
    if wanted in splits:
        return None
    return f"{folder} has no split {wanted} (allowed {' or '.join(sorted(splits))})"


def _files(folder: Path) -> Iterator[Path]:
    for above, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        yield from (Path(above, name) for name in names if not name.startswith("."))


def _words(part: str) -> list[str]:
    return _BETWEEN_WORDS.split(part)


def _may_name_splits(path: Path) -> bool:
    return path.name in ("README.md", "dataset_dict.json", "dataset_infos.json") or path.suffix == ".py"
