"""What a configuration leaves to its models and to the folder it lies in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from accsearch.config.explain import explain
from accsearch.config.fingerprint import command_fingerprint, file_fingerprint, folder_fingerprint
from accsearch.config.methods import parse_methods
from accsearch.config.mistake import Findings, Mistake, Mistakes
from accsearch.config.mistake import Path as KeyPath
from accsearch.config.models import BUILTIN, ModelInfo
from accsearch.config.prompts import DEMO, source_fingerprint
from accsearch.config.schema import DEFAULT_SCORER, LOCAL_SCORER, Config, QualityConfig
from accsearch.demo import PIPELINES, scorer_path
from accsearch.methods.combinations import default_lists

COCO = {"dataset": "phiyodr/coco2017", "split": "validation", "column": "captions"}


def validated(data: Mapping[str, Any], findings: Findings) -> tuple[Config, Mapping[str, Any]]:
    """Return the configuration in `data` and the data itself, both without the keys in which something is wrong.

    Mistakes are added to the findings; raises Mistakes if the rest is no configuration.
    """
    while True:
        try:
            return Config.model_validate(data), data
        except ValidationError as error:
            mistakes = explain(error, Config)
            findings.add(mistakes)
            before = data
            for mistake in mistakes:
                data = _without(data, mistake.path)
            if data == before:
                findings.raise_any()
                raise


def _without(data: Mapping[str, Any], path: KeyPath) -> Mapping[str, Any]:
    """Return `data` without the key at `path`, or without the list in which `path` leads."""
    key, rest = path[0], path[1:]
    below = data.get(str(key))
    if rest and isinstance(below, Mapping) and rest[0] in below:
        return {**data, str(key): _without(below, rest)}
    return {name: value for name, value in data.items() if name != key}


def complete(
    config: Config,
    sections: Mapping[str, Any],
    models: Mapping[str, ModelInfo],
    methods: Any,
    folder: Path,
    findings: Findings,
) -> Config:
    """Fill in what depends on the models: prompts, scorer, methods, and absolute paths; wrong methods are left out."""
    builtin = all(model.model_id.startswith(BUILTIN) for model in models.values())
    demo = any(model.model_id in PIPELINES for model in models.values())
    prompts = dict(sections.get("prompts") or ({"file": DEMO} if builtin else COCO))
    for key in ("file", "dataset"):
        prompts[key] = _found(prompts.get(key), folder)
    scorer = {"model": "builtin:demo" if demo else "builtin:tiny"} if builtin else DEFAULT_SCORER
    quality = sections.get("quality", scorer)
    if methods is not None and not isinstance(methods, dict):
        findings.add([Mistake(("methods",), "allowed a mapping of methods to their parameter lists")])
        methods = {}
    listed = {key: value for key, value in (methods or {}).items() if key != "implementation"}
    # `methods: {}` searches nothing but the baseline; only saying nothing of any method means the defaults.
    default = methods is None or (not listed and "implementation" in methods)
    completed, _ = validated(
        {
            **config.resolved(),
            "prompts": prompts,
            "quality": None if quality is None else _with_paths(quality or scorer, folder),
            "methods": default_lists() if default else parse_methods(listed, findings),
            "implementation": findings.of(_implementation, methods or {}) or "native",
            "facts": {"models": models, "default_methods": default},
        },
        findings,
    )
    return completed


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


def _with_paths(quality: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Make the folder or the file that holds the scorer's weights absolute."""
    found = dict(quality)
    model, pretrained = found.get("model") or "", _found(found.get("pretrained"), folder)
    if model.startswith(LOCAL_SCORER):
        found["model"] = f"{LOCAL_SCORER}{_found(model.removeprefix(LOCAL_SCORER), folder)}"
    # A folder that happens to have the name of a tag is none of it.
    if pretrained is not None and Path(pretrained).is_file():
        found["pretrained"] = pretrained
    return found


def prompts_fact(config: Config) -> str:
    """Return what stands for the content of the prompts; raises Mistakes."""
    try:
        return source_fingerprint(config.prompts)
    except OSError as error:
        message = f"cannot be read: {error.strerror}: {error.filename}"
        raise Mistakes([Mistake(("prompts", "file"), message)]) from error


def scorer_fact(quality: QualityConfig | None) -> str:
    """Return what stands for the scorer's weights, or its program, where they are on this machine, else nothing."""
    if quality is None:
        return ""
    if quality.command:
        return command_fingerprint(quality.command)
    local = scorer_path() if quality.model == DEMO else Path(quality.model.removeprefix(LOCAL_SCORER))
    if local.is_dir() and (quality.model == DEMO or quality.model.startswith(LOCAL_SCORER)):
        return folder_fingerprint(local)
    if quality.pretrained is not None and Path(quality.pretrained).is_file():
        return file_fingerprint(Path(quality.pretrained))
    return ""
