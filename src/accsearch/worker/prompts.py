"""The prompts: lines of a file, or a column of a data set."""

from typing import Any

from accsearch.config.prompts import read_prompts
from accsearch.config.schema import PromptsConfig
from accsearch.errors import UsageError

SHORT_LENGTH = 50


def load_prompts(source: PromptsConfig, count: int) -> list[str]:
    """Return the first `count` prompts; raises UsageError where there are fewer, or the column is absent."""
    prompts = _of_file(source.file, count) if source.file is not None else _of_dataset(source, count)
    if len(prompts) < count:
        raise UsageError(f"{count} prompts asked for, {source.file or source.dataset} has {len(prompts)}")
    return prompts


def shortened(prompt: str) -> str:
    """Return the first 50 characters of a prompt."""
    return prompt[:SHORT_LENGTH]


def doubled(prompt: str) -> str:
    """Return a prompt followed by itself."""
    return f"{prompt} {prompt}"


def _of_file(file: str, count: int) -> list[str]:
    try:
        return read_prompts(file)[:count]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"prompts.file: {file}: {error}") from error


def _of_dataset(source: PromptsConfig, count: int) -> list[str]:
    import datasets

    rows = datasets.load_dataset(source.dataset, split=source.split, revision=source.revision)
    if source.column not in rows.column_names:
        there = ", ".join(rows.column_names)
        raise UsageError(f"prompts.column: {source.dataset} has no column {source.column} (it has {there})")
    return [_first(row) for row in rows.select_columns([source.column]).take(count)[source.column]]


def _first(value: Any) -> str:
    """Return a caption, or the first of a list of them."""
    return str(value[0] if isinstance(value, list | tuple) else value).strip()
