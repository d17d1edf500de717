"""From a YAML file and overrides to a checked `Config`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from accsearch.config.cells import AXES
from accsearch.config.check import check
from accsearch.config.document import Document, read_document
from accsearch.config.explain import explain
from accsearch.config.fingerprint import file_fingerprint, folder_fingerprint
from accsearch.config.methods import parse_methods
from accsearch.config.mistake import Mistake, dotted, nearest
from accsearch.config.mistake import Path as KeyPath
from accsearch.config.models import BUILTIN, ModelInfo
from accsearch.config.naming import name_of_file
from accsearch.config.pipes import resolve_pipes
from accsearch.config.prompts import DEMO, source_fingerprint
from accsearch.config.remarks import remarks
from accsearch.config.schema import LOCAL_SCORER, Config, QualityConfig
from accsearch.demo import scorer_path
from accsearch.errors import ConfigError
from accsearch.methods.combinations import default_lists

KEYS = ("name", "grid", "worker", "prompts", "quality", "methods", "search", "gpus", "retry")
COCO = {"dataset": "phiyodr/coco2017", "split": "validation", "column": "captions"}
VIT_G = {"model": "ViT-g-14", "pretrained": "laion2b_s34b_b88k"}

_AS_WRITTEN = (
    ("name",),
    ("grid",),
    ("prompts",),
    ("quality",),
    ("worker", "env"),
    ("worker", "command"),
    ("worker", "success_sentinel"),
    ("worker", "failure_patterns"),
    ("gpus", "exclude"),
)
"""Below these keys scalars are text as they were written: steps become part of an id, NO is no boolean."""


def load_config(path: Path, overrides: Sequence[str] = ()) -> Config:
    """Return the checked configuration in the YAML file `path`, with `key.path=value` overrides applied.

    Raises ConfigError, as one line `file:line: key: message`.
    """
    document = read_document(path)
    for assignment in overrides:
        document.override(assignment)
    try:
        config = _build(document.data(_is_text), path.resolve().parent, path.stem)
    except Mistake as mistake:
        raise document.error(mistake.path, mistake.message) from mistake
    return config.model_copy(
        update={"facts": config.facts.model_copy(update=_of_file(config, document, path))}
    )


def build_config(data: Mapping[str, Any], *, folder: Path | None = None, name: str = "config") -> Config:
    """Return the checked configuration that `data` holds, shaped as the YAML is; raises ConfigError.

    `folder` is where relative paths are looked for first (default: the current folder).
    """
    try:
        return _build(_written(data, ()), folder or Path.cwd(), name)
    except Mistake as mistake:
        raise ConfigError(mistake.message, key=dotted(mistake.path)) from mistake


def _of_file(config: Config, document: Document, path: Path) -> dict[str, Any]:
    """Return the facts about the file itself, and what to say where its name had to be made up."""
    said = config.facts.remarks
    if document.tree.get("name") is None and not path.stem.isascii():
        said = (f"stands for {path.name}, since a name is ASCII; `name:` in the file gives another", *said)
    return {"file": str(path.resolve()), "remarks": said}


def _is_text(path: KeyPath) -> bool:
    return any(path[: len(known)] == known for known in _AS_WRITTEN)


def _written(value: Any, path: KeyPath) -> Any:
    """Give data that was never YAML the form that the document has: lists, and text where text is kept."""
    if isinstance(value, Mapping):
        return {key: _written(each, (*path, key)) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_written(each, (*path, index)) for index, each in enumerate(value)]
    return str(value) if value is not None and _is_text(path) else value


def _build(data: dict[str, Any], folder: Path, name: str) -> Config:
    for key in data:
        if key not in KEYS:
            raise Mistake((key,), f"unknown key (allowed {', '.join(KEYS)}{nearest(key, KEYS)})")
    # A section that says nothing has its defaults, but no scorer is what `quality: null` asks for.
    sections = {key: value for key, value in data.items() if value is not None or key == "quality"}
    if "grid" not in sections:
        raise Mistake(("grid",), "is missing (allowed axes, as {pipe: [SD1.5], sched: [DDIM], steps: [50]})")
    methods = sections.pop("methods", None)
    grid = sections["grid"]
    sections["grid"] = _named(grid)
    # The file's name is a default, so a name that does not fit is made to.
    config = _validated({"name": name_of_file(name), **sections})
    if config.worker.kind == "command":
        check(config)
        return config
    _axes(config)
    pipes = grid["pipe"] if isinstance(grid["pipe"], list) else [grid["pipe"]]
    models = resolve_pipes(pipes, folder)
    config = _complete(config, sections, models, methods, folder)
    check(config)
    facts = {
        "prompts": _prompts_fact(config),
        "scorer": _scorer_fact(config.quality),
        "remarks": tuple(remarks(config)),
    }
    return config.model_copy(update={"facts": config.facts.model_copy(update=facts)})


def _validated(data: Mapping[str, Any]) -> Config:
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise explain(error, Config) from error


def _named(grid: Any) -> Any:
    """Put the name of each mapping in the `pipe` axis in its place, a stand-in for a wrong one."""
    if not isinstance(grid, dict) or not isinstance(grid.get("pipe"), list | dict):
        return grid
    pipes = grid["pipe"] if isinstance(grid["pipe"], list) else [grid["pipe"]]
    names = [
        (entry["name"] if isinstance(entry.get("name"), str) else f"pipe{index}")
        if isinstance(entry, dict)
        else entry
        for index, entry in enumerate(pipes)
    ]
    return {**grid, "pipe": names}


def _axes(config: Config) -> None:
    # What is there and wrong comes first: a misspelt axis would else be said to be missing.
    for axis in config.grid:
        if axis not in AXES:
            allowed = ", ".join(AXES)
            hint = nearest(axis, AXES)
            raise Mistake(("grid", axis), f"unknown axis (allowed {allowed} for traversal_search{hint})")
    for axis in AXES:
        if axis not in config.grid:
            raise Mistake(("grid", axis), f"is missing (traversal_search has the axes {', '.join(AXES)})")


def _complete(
    config: Config, sections: Mapping[str, Any], models: Mapping[str, ModelInfo], methods: Any, folder: Path
) -> Config:
    """Fill in what depends on the models: prompts, scorer, methods, and absolute paths."""
    builtin = all(model.model_id.startswith(BUILTIN) for model in models.values())
    demo = any(model.model_id == DEMO for model in models.values())
    prompts = dict(sections.get("prompts") or ({"file": DEMO} if builtin else COCO))
    for key in ("file", "dataset"):
        prompts[key] = _found(prompts.get(key), folder)
    scorer = {"model": "builtin:demo" if demo else "builtin:tiny"} if builtin else VIT_G
    if methods is not None and not isinstance(methods, dict):
        raise Mistake(("methods",), "allowed a mapping of methods to their parameter lists")
    listed = {key: value for key, value in (methods or {}).items() if key != "implementation"}
    # `methods: {}` searches nothing but the baseline; only saying nothing of any method means the defaults.
    default = methods is None or (not listed and "implementation" in methods)
    return _validated(
        {
            **config.resolved(),
            "prompts": prompts,
            "quality": _with_paths(sections.get("quality", scorer) or {}, folder) or None,
            "methods": default_lists() if default else parse_methods(listed),
            "implementation": _implementation(methods or {}),
            "facts": {"models": models, "default_methods": default},
        }
    )


def _implementation(methods: Mapping[str, Any]) -> str:
    value = methods.get("implementation", "native")
    if value not in ("native", "package"):
        raise Mistake(("methods", "implementation"), f"{value} is not allowed (allowed native or package)")
    return str(value)


def _found(written: str | None, folder: Path) -> str | None:
    """Return the absolute path of what is below `folder` or the current one, else what was written."""
    if written is None or written.startswith(BUILTIN):
        return written
    for base in (folder, Path.cwd()):
        path = base / Path(written).expanduser()
        if path.exists():
            return str(path.resolve())
    return written


def _with_paths(quality: Mapping[str, str | None], folder: Path) -> dict[str, str | None]:
    """Make the folder or the file that holds the scorer's weights absolute."""
    found = dict(quality)
    model, pretrained = found.get("model") or "", _found(found.get("pretrained"), folder)
    if model.startswith(LOCAL_SCORER):
        found["model"] = f"{LOCAL_SCORER}{_found(model.removeprefix(LOCAL_SCORER), folder)}"
    # A folder that happens to have the name of a tag is none of it.
    if pretrained is not None and Path(pretrained).is_file():
        found["pretrained"] = pretrained
    return found


def _prompts_fact(config: Config) -> str:
    try:
        return source_fingerprint(config.prompts)
    except OSError as error:
        raise Mistake(("prompts", "file"), f"cannot be read: {error.strerror}: {error.filename}") from error


def _scorer_fact(quality: QualityConfig | None) -> str:
    """Return what stands for the scorer's weights where they are on this machine, else nothing."""
    if quality is None:
        return ""
    local = scorer_path() if quality.model == DEMO else Path(quality.model.removeprefix(LOCAL_SCORER))
    if local.is_dir() and (quality.model == DEMO or quality.model.startswith(LOCAL_SCORER)):
        return folder_fingerprint(local)
    if quality.pretrained is not None and Path(quality.pretrained).is_file():
        return file_fingerprint(Path(quality.pretrained))
    return ""
