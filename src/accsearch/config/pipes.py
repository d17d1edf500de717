"""The `pipe` axis: aliases and mappings, resolved to models."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from accsearch.config.mistake import Mistake, nearest
from accsearch.config.models import ModelInfo, resolve_model

KEYS = ("name", "model", "class", "revision", "variant")


def resolve_pipes(entries: Sequence[Any], folder: Path) -> dict[str, ModelInfo]:
    """Return name → model for the entries of the `pipe` axis, in their order; raises Mistake.

    Local folders are looked for below `folder`, then below the current one.
    """
    models: dict[str, ModelInfo] = {}
    for index, entry in enumerate(entries):
        path = ("grid", "pipe", index)
        named = _checked(entry, path) if isinstance(entry, dict) else entry
        if not isinstance(named, str | dict) or not named:
            raise Mistake(path, "allowed an alias, or a mapping {name, model, class, revision, variant}")
        name = named["name"] if isinstance(named, dict) else named
        if name in models:
            raise Mistake(path, f"{name} is given twice, so that two tasks would have one id")
        try:
            models[name] = resolve_model(named, folder)
        except ValueError as error:
            raise Mistake(path, str(error)) from error
        except OSError as error:
            raise Mistake(path, f"cannot be read: {error.strerror}: {error.filename}") from error
    return models


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
