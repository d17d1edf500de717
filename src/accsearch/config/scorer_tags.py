"""Which weights open_clip has for which architecture, read from its source: importing it takes torch and seconds."""

import ast
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from accsearch.config.mistake import Mistake, nearest

SHOWN = 8
"""Tags named in one message."""
QUICK = "-quickgelu"


def check_tag(model: str, pretrained: str | None) -> None:
    """Raise Mistake where the architecture `model` has no weights of the tag `pretrained`, or others' activation.

    Nothing is refused where open_clip is not installed.
    """
    architecture = model.replace("/", "-")
    offered = _tags().get(architecture)
    if architecture not in architectures():
        return
    if pretrained is None:
        shown = _shown(offered or {}) or "a file, since open_clip has no weights of it"
        raise Mistake(("quality", "pretrained"), f"is missing for {model} (allowed {shown})")
    tag = pretrained.lower().replace("-", "_")
    if offered is None or tag not in offered:
        hint = nearest(tag, offered or ()) or _elsewhere(tag)
        message = f"{model} has no weights {pretrained} (allowed {_shown(offered or {}) or 'a file'}{hint})"
        raise Mistake(("quality", "pretrained"), message)
    fitting = architecture + QUICK
    if offered[tag] and not _is_quick(architecture) and fitting in architectures():
        message = f"{pretrained} was trained with quick GELU, which {model} has not; did you mean {fitting}?"
        raise Mistake(("quality", "model"), message)


@cache
def architectures() -> frozenset[str]:
    """Return the names of open_clip's architectures; none where it is absent."""
    return frozenset(file.stem for folder in _package() for file in (folder / "model_configs").glob("*.json"))


def _shown(tags: Mapping[str, bool]) -> str:
    more = f" and {len(tags) - SHOWN} more" if len(tags) > SHOWN else ""
    return ", ".join(list(tags)[:SHOWN]) + more


def _elsewhere(tag: str) -> str:
    """Return which architectures do have `tag`, where there are any."""
    having = [name for name, tags in _tags().items() if tag in tags]
    return f"; {tag} is one of {', '.join(having[:3])}" if having else ""


def _is_quick(architecture: str) -> bool:
    for folder in _package():
        settings = json.loads((folder / "model_configs" / f"{architecture}.json").read_bytes())
        return bool(settings.get("quick_gelu", False))
    return False


@cache
def _tags() -> Mapping[str, Mapping[str, bool]]:
    """Return architecture → tag → whether its weights were trained with quick GELU; all of it from the source."""
    found: dict[str, Mapping[str, bool]] = {}
    for folder in _package():
        named: dict[str, Mapping[str, bool]] = {}
        for node in ast.parse((folder / "pretrained.py").read_bytes()).body:
            if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
                continue
            if isinstance(node.value, ast.Call):
                named[node.targets[0].id] = dict(_configured(node.value))
            elif node.targets[0].id == "_PRETRAINED" and isinstance(node.value, ast.Dict):
                for key, value in zip(node.value.keys, node.value.values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(value, ast.Name):
                        found[str(key.value)] = named.get(value.id, {})
                    elif isinstance(key, ast.Constant) and isinstance(value, ast.Call):
                        found[str(key.value)] = dict(_configured(value))
    quick = {
        name + QUICK: kept
        for name, tags in found.items()
        if (kept := {tag: q for tag, q in tags.items() if q})
    }
    return {**found, **quick}


def _configured(call: ast.Call) -> Iterator[tuple[str, bool]]:
    """Yield the tags of `dict(tag=_pcfg(…, quick_gelu=True), …)`."""
    for keyword in call.keywords:
        if keyword.arg is not None and isinstance(keyword.value, ast.Call):
            quick = any(
                each.arg == "quick_gelu" and isinstance(each.value, ast.Constant) and bool(each.value.value)
                for each in keyword.value.keywords
            )
            yield keyword.arg, quick


@cache
def _package() -> tuple[Path, ...]:
    package = find_spec("open_clip")
    folders = package.submodule_search_locations if package is not None else None
    return tuple(Path(folder) for folder in folders or () if Path(folder, "pretrained.py").is_file())
