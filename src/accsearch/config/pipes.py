"""The `pipe` axis: aliases and mappings, resolved to models."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from accsearch.config.mistake import Findings, Mistake, nearest
from accsearch.config.mistake import Path as KeyPath
from accsearch.config.models import ModelInfo, resolve_model

KEYS = ("name", "model", "class", "revision", "variant")


def resolve_pipes(entries: Sequence[Any], folder: Path, findings: Findings) -> dict[str, ModelInfo]:
    """Return name → model for the entries of the `pipe` axis, in their order; mistakes are added to the findings.

    Local folders are looked for below `folder`, then below the current one.
    """
    models: dict[str, ModelInfo] = {}
    for index, entry in enumerate(entries):
        path = ("grid", "pipe", index)
        model = None if findings.about(path) else findings.of(_resolved, entry, path, folder)
        if model is not None and model.alias in models:
            findings.add(
                [Mistake(path, f"{model.alias} is given twice, so that two tasks would have one id")]
            )
        elif model is not None:
            models[model.alias] = model
    return models


def unnamed_models(entries: Sequence[Any]) -> Iterator[Mistake]:
    """Yield a mistake for each entry that is a hub id or a folder where an alias or a mapping is expected."""
    for index, entry in enumerate(entries):
        if isinstance(entry, str) and ("/" in entry or entry.startswith(("~", "."))):
            name = "".join(
                c for c in entry.rstrip("/").rsplit("/", 1)[-1] if c.isalnum() or c in ".+-"
            ).lstrip(".+-")
            message = f"{entry} is no alias; write {{name: {name or 'NAME'}, model: {entry}}}"
            yield Mistake(("grid", "pipe", index), message)


def _resolved(entry: Any, path: KeyPath, folder: Path) -> ModelInfo:
    named = _checked(entry, path) if isinstance(entry, dict) else entry
    if not isinstance(named, str | dict) or not named:
        raise Mistake(path, "allowed an alias, or a mapping {name, model, class, revision, variant}")
    try:
        return resolve_model(named, folder)
    except ValueError as error:
        raise Mistake(path, str(error)) from error
    except OSError as error:
        raise Mistake(path, f"cannot be read: {error.strerror}: {error.filename}") from error


def _checked(entry: dict[str, Any], path: tuple[str | int, ...]) -> dict[str, str]:
    for key, value in entry.items():
        if key not in KEYS:
            raise Mistake((*path, key), f"unknown key (allowed {', '.join(KEYS)}{nearest(key, KEYS)})")
        if not isinstance(value, str | None):
            raise Mistake((*path, key), "allowed text")
    for key in ("name", "model"):
        if not entry.get(key):
            raise Mistake((*path, key), "is missing")
    return entry
