"""The prompts: lines of a file, or a column of a data set."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accsearch.config.prompts import read_prompts, repetitions, unreadable
from accsearch.config.schema import PromptsConfig
from accsearch.errors import AccsearchError, UsageError
from accsearch.worker.hub import without_hub

SHORT_LENGTH = 50
_TEXTS = frozenset({"string", "large_string", "string_view"})
_CHUNK = 256


@dataclass(frozen=True)
class Prompts:
    """The prompts of a task; `notes` are what its results must be read with, one line each."""

    texts: list[str]
    notes: tuple[str, ...] = ()


def gather_prompts(source: PromptsConfig, count: int) -> Prompts:
    """Return the first `count` prompts; raises UsageError where there are fewer, or where they are no texts."""
    left_out: Counter[str] = Counter()
    prompts = list(_of_file(source.file, count) if source.file else _of_dataset(source, count, left_out))
    notes = [
        f"{rows} row{'s' if rows > 1 else ''} of the data set left out: {why}"
        for why, rows in left_out.items()
    ]
    if len(prompts) < count:
        short = f"{count} prompts asked for, {source.file or source.dataset} has {len(prompts)}"
        raise UsageError("; ".join([short, *notes]))
    if repeated := repetitions(prompts):
        notes.append(repeated)
    return Prompts(prompts, tuple(notes))


def read_up_to(source: PromptsConfig, count: int) -> list[str]:
    """Return the first `count` prompts, or all where there are fewer; raises UsageError where they are no texts."""
    return list(_of_file(source.file, count) if source.file else _of_dataset(source, count, Counter()))


def load_prompts(source: PromptsConfig, count: int) -> list[str]:
    """Return the texts that `gather_prompts` returns."""
    return gather_prompts(source, count).texts


def shortened(prompt: str) -> str:
    """Return the first 50 characters of a prompt."""
    return prompt[:SHORT_LENGTH]


def doubled(prompt: str) -> str:
    """Return a prompt followed by itself."""
    return f"{prompt} {prompt}"


def _of_file(file: str, count: int) -> list[str]:
    try:
        return read_prompts(file, count)
    except OSError as error:
        raise UsageError(f"prompts.file: {file}: {error.strerror}") from error
    except UsageError as error:
        raise UsageError(f"prompts.file: {error}") from error


def _of_dataset(source: PromptsConfig, count: int, left_out: Counter[str]) -> Iterator[str]:
    """Yield up to `count` captions; `left_out` counts the rows before the last one that have none, by reason."""
    rows = _load(source)
    if source.column not in rows.column_names:
        there = ", ".join(rows.column_names)
        raise UsageError(f"prompts.column: {source.dataset} has no column {source.column} (it has {there})")
    _check_column(source, rows.features)
    found = 0
    for chunk in rows.select_columns([source.column]).iter(_CHUNK):
        for value in chunk[source.column]:
            if found == count:
                return
            text = _first(value)
            if why := unreadable(" ".join(text.split("\n"))) if text else "no caption":
                left_out[why] += 1
            else:
                found += 1
                yield text


def _load(source: PromptsConfig) -> Any:
    import datasets

    try:
        return datasets.load_dataset(source.dataset, split=source.split, revision=source.revision)
    except (OSError, ValueError) as error:
        name, said = f"prompts.dataset: {source.dataset}", " ".join(str(error).split())
        # A split or a folder will not change by trying again; the hub may answer next time.
        if isinstance(error, ValueError) or Path(str(source.dataset)).is_dir():
            raise UsageError(f"{name}: {said}") from error
        raise AccsearchError(f"{name} cannot be loaded ({without_hub('prompts')}): {said}") from error


def _check_column(source: PromptsConfig, features: Any) -> None:
    """Raise UsageError unless the column holds texts or lists of texts."""
    import datasets

    feature = features[source.column]
    lists = (datasets.List, datasets.LargeList, datasets.Sequence)
    inner = feature.feature if isinstance(feature, lists) else feature
    if isinstance(inner, datasets.Value) and inner.dtype in _TEXTS:
        return
    texts = [
        name for name, each in features.items() if isinstance(each, datasets.Value) and each.dtype in _TEXTS
    ]
    hint = f"; columns of texts: {', '.join(texts)}" if texts else ""
    raise UsageError(
        f"prompts.column: {source.column} of {source.dataset} holds {_kind(feature)} "
        f"(allowed texts or lists of texts{hint})"
    )


def _kind(feature: Any) -> str:
    """Return what a column of this feature holds, in a few words."""
    import datasets

    if isinstance(feature, dict):
        return f"mappings of {', '.join(feature)}"
    if isinstance(feature, datasets.List | datasets.LargeList):
        return f"lists of {_kind(feature.feature)}"
    if isinstance(feature, datasets.Value):
        return "nothing but nulls" if feature.dtype == "null" else f"values of the type {feature.dtype}"
    return f"values of the type {type(feature).__name__}"


def _first(value: Any) -> str:
    """Return a caption or the first of a list of them; the empty text where there is none."""
    first = next(iter(value), None) if isinstance(value, list | tuple) else value
    return (first or "").strip()
