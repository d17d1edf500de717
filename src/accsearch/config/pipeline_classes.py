"""What pipelines of diffusers are called with, read from its source: importing it takes seconds and torch."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from accsearch.config.mistake import nearest

CALLED_WITH = ("prompt", "num_inference_steps", "guidance_scale")
"""What every pipeline is called with here."""
_VIDEO = re.compile(r"num_frames|frames|frame_rate|frame_size|fps|video_length|.*video.*")
_AUDIO = re.compile(r".*audio.*", re.IGNORECASE)
_CLASS = re.compile(rb"^class (\w+Pipeline)\b", re.MULTILINE)


def unusable_class(name: str) -> str | None:
    """Return why the pipeline class `name` cannot be measured, None if it can or diffusers is not installed.

    What is measured makes images of prompts.
    """
    classes = _sources()
    if not classes:
        return None
    if name not in classes:
        # The ending that all have says nothing of which is near.
        stems = [each.removesuffix("Pipeline") for each in classes]
        hint = nearest(name.removesuffix("Pipeline"), stems)
        return f"diffusers has no {name}{hint.replace('?', 'Pipeline?')}"
    called = _method(classes[name], name, "__call__")
    if called is None:
        return None
    wants = "accsearch measures pipelines that make images of prompts"
    names = [each.arg for each in (*called.posonlyargs, *called.args, *called.kwonlyargs)]
    if any(map(_VIDEO.fullmatch, names)):
        return f"{name} makes video; {wants}"
    if _AUDIO.search(name) or any(map(_AUDIO.fullmatch, names)):
        return f"{name} makes sound; {wants}"
    needed = [each for each in _required(called) if each != "prompt"]
    if needed:
        return f"{name} needs {', '.join(needed)}; {wants}"
    lacking = [each for each in CALLED_WITH if each not in names]
    return f"{name} takes no {', '.join(lacking)}; {wants}" if lacking and called.kwarg is None else None


def made_for_flows(name: str) -> bool:
    """Say whether the pipeline class `name` is written for schedulers of flow-matching models."""
    file = _sources().get(name)
    made = None if file is None else _method(file, name, "__init__")
    parameters = () if made is None else (*made.posonlyargs, *made.args, *made.kwonlyargs)
    kinds = (each.annotation for each in parameters if each.arg == "scheduler")
    return any(kind is not None and "FlowMatch" in ast.unparse(kind) for kind in kinds)


@cache
def _sources() -> dict[str, Path]:
    """Return the file of each pipeline class; nothing where diffusers is not installed."""
    package = find_spec("diffusers")
    found: dict[str, Path] = {}
    for folder in (package.submodule_search_locations if package is not None else None) or ():
        for file in sorted(Path(folder, "pipelines").rglob("pipeline_*.py")):
            found.update(dict.fromkeys((match.decode() for match in _CLASS.findall(file.read_bytes())), file))
    return found


@cache
def _method(file: Path, name: str, method: str) -> ast.arguments | None:
    """Return the parameters of a method of a class; None if the class does not define it."""
    for node in ast.parse(file.read_bytes()).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            for member in node.body:
                if isinstance(member, ast.FunctionDef) and member.name == method:
                    return member.args
    return None


def _required(called: ast.arguments) -> Iterator[str]:
    """Yield the parameters that have no default, but for `self`."""
    places = [*called.posonlyargs, *called.args]
    yield from (each.arg for each in places[1 : len(places) - len(called.defaults)])
    for each, default in zip(called.kwonlyargs, called.kw_defaults, strict=True):
        if default is None:
            yield each.arg
