"""The fingerprint of the prompts, by content where they are on this machine."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from accsearch.config.fingerprint import file_fingerprint, folder_fingerprint
from accsearch.demo import captions_path

if TYPE_CHECKING:
    from accsearch.config.schema import Config, PromptsConfig

DEMO = "builtin:demo"


def prompts_fingerprint(config: "Config") -> str:
    """Return 16 hexadecimal digits that change with the prompts; those that were taken when it was loaded."""
    return config.facts.prompts or source_fingerprint(config.prompts)


def source_fingerprint(prompts: "PromptsConfig") -> str:
    """Return the fingerprint of a file's or local data set's content, of a hub data set's name and revision.

    Raises OSError where a file cannot be read.
    """
    if prompts.file is not None:
        return file_fingerprint(prompts_path(prompts.file))
    where = Path(str(prompts.dataset))
    content = folder_fingerprint(where) if where.is_dir() else str(prompts.dataset)
    facts = "\0".join((content, prompts.split, prompts.column, prompts.revision or "main"))
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


def prompts_path(file: str) -> Path:
    """Return the path that `prompts.file` stands for."""
    return captions_path() if file == DEMO else Path(file)


def read_prompts(file: str) -> list[str]:
    """Return the lines of `prompts.file` that are not blank; raises OSError or UnicodeDecodeError."""
    lines = prompts_path(file).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip()]
