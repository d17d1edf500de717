"""From a YAML file and overrides to a checked `Config`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from accsearch.config.cells import AXES
from accsearch.config.check import check_alone, check_with_models
from accsearch.config.complete import complete, prompts_fact, scorer_fact, validated
from accsearch.config.document import Document, read_document
from accsearch.config.mistake import Findings, Mistake, Mistakes, dotted, nearest
from accsearch.config.mistake import Path as KeyPath
from accsearch.config.naming import name_of_file
from accsearch.config.pipes import resolve_pipes, unnamed_models
from accsearch.config.remarks import remarks
from accsearch.config.schema import Config
from accsearch.errors import ConfigError, together

KEYS = ("name", "grid", "worker", "prompts", "quality", "methods", "search", "gpus", "retry", "cluster")

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
    except Mistakes as mistakes:
        raise together([document.error(each.path, each.message) for each in mistakes.found]) from mistakes
    return config.model_copy(
        update={"facts": config.facts.model_copy(update=_of_file(config, document, path))}
    )


def build_config(data: Mapping[str, Any], *, folder: Path | None = None, name: str = "config") -> Config:
    """Return the checked configuration that `data` holds, shaped as the YAML is; raises ConfigError.

    `folder` is where relative paths are looked for first (default: the current folder).
    """
    try:
        return _build(_written(data, ()), folder or Path.cwd(), name)
    except Mistakes as mistakes:
        errors = [ConfigError(each.message, key=dotted(each.path)) for each in mistakes.found]
        raise together(errors) from mistakes


def _of_file(config: Config, document: Document, path: Path) -> dict[str, Any]:
    """Return the facts about the file itself, and what to say where its name had to be made up."""
    remarks = config.facts.remarks
    if document.tree.get("name") is None and not path.stem.isascii():
        remarks = (
            f"stands for {path.name}, since a name is ASCII; `name:` in the file gives another",
            *remarks,
        )
    return {"file": str(path.resolve()), "remarks": remarks}


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
    """Return the checked configuration; raises Mistakes with all that is wrong in it."""
    findings = Findings()
    findings.add(
        Mistake((key,), f"unknown key (allowed {', '.join(KEYS)}{nearest(key, KEYS)})")
        for key in data
        if key not in KEYS
    )
    # A section that says nothing has its defaults, but no scorer is what `quality: null` asks for.
    kept = {key: each for key, each in data.items() if key in KEYS and (each is not None or key == "quality")}
    if "grid" not in kept:
        if not findings:
            message = "is missing (allowed axes, as {pipe: [SD1.5], sched: [DDIM], steps: [50]})"
            findings.add([Mistake(("grid",), message)])
        findings.raise_any()
    methods, grid = kept.pop("methods", None), kept["grid"]
    pipes = _pipes(grid)
    worker = kept.get("worker")
    if not isinstance(worker, dict) or worker.get("kind") != "command":
        findings.add(unnamed_models(pipes))
    # The file's name is a default, so a name that does not fit is made to.
    config, sections = validated({"name": name_of_file(name), **kept, "grid": _named(grid, pipes)}, findings)
    if config.worker.kind == "command":
        findings.add(check_alone(config))
        findings.raise_any()
        return config
    findings.add(_axes(config, findings))
    models = resolve_pipes(pipes, folder, findings)
    config = complete(config, sections, models, methods, folder, findings)
    # Of a section in which something is wrong the rest would be checked against defaults.
    findings.close(section for section in KEYS if section not in ("grid", "methods"))
    findings.add(check_alone(config))
    findings.raise_any()
    findings.add(check_with_models(config))
    findings.raise_any()
    facts = {
        "prompts": prompts_fact(config),
        "scorer": scorer_fact(config.quality),
        "remarks": tuple(remarks(config)),
    }
    return config.model_copy(update={"facts": config.facts.model_copy(update=facts)})


def _pipes(grid: Any) -> list[Any]:
    """Return the entries of the `pipe` axis as they were written."""
    pipes = grid.get("pipe") if isinstance(grid, dict) else None
    return pipes if isinstance(pipes, list) else [] if pipes is None else [pipes]


def _named(grid: Any, pipes: Sequence[Any]) -> Any:
    """Put the name of each mapping in the `pipe` axis in its place, a stand-in for a wrong one."""
    if not isinstance(grid, dict) or not isinstance(grid.get("pipe"), list | dict):
        return grid
    names = [
        (entry["name"] if isinstance(entry.get("name"), str) else f"pipe{index}")
        if isinstance(entry, dict)
        else entry
        for index, entry in enumerate(pipes)
    ]
    return {**grid, "pipe": names}


def _axes(config: Config, findings: Findings) -> Iterator[Mistake]:
    """Yield a mistake for each unknown axis, else for each missing one: a misspelt axis is both, and reported once."""
    unknown = [axis for axis in config.grid if axis not in AXES]
    for axis in unknown:
        allowed, hint = ", ".join(AXES), nearest(axis, AXES)
        yield Mistake(("grid", axis), f"unknown axis (allowed {allowed} for traversal_search{hint})")
    for axis in AXES:
        if axis not in config.grid and not unknown and not findings.about(("grid", axis)):
            yield Mistake(("grid", axis), f"is missing (traversal_search has the axes {', '.join(AXES)})")
