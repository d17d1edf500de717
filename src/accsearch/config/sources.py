"""Checks of what a configuration names outside itself: prompts, a data set, the scorer's weights."""

import re
from importlib.util import find_spec
from pathlib import Path

from accsearch.config.mistake import Mistake, nearest
from accsearch.config.prompts import DEMO, read_prompts
from accsearch.config.schema import LOCAL_SCORER, Config, QualityConfig
from accsearch.errors import UsageError

BUILTIN_SCORERS = ("builtin:demo", "builtin:tiny")
_WEIGHTS = frozenset({".bin", ".ckpt", ".npz", ".pt", ".pth", ".safetensors"})
_HUB_DATASET = re.compile(r"([A-Za-z0-9][\w.-]*/)?[A-Za-z0-9][\w.-]*")


def check_sources(config: Config) -> None:
    """Raise Mistake for prompts or weights that are not where the configuration says."""
    prompts = config.prompts
    if (prompts.file is None) == (prompts.dataset is None):
        raise Mistake(("prompts",), "allowed either {file} or {dataset, split, column}")
    if prompts.file is not None:
        _file(prompts.file, config.worker.num_samples)
    elif not (Path(str(prompts.dataset)).is_dir() or _HUB_DATASET.fullmatch(str(prompts.dataset))):
        message = f"no folder {prompts.dataset} (allowed a folder or a hub name OWNER/NAME)"
        raise Mistake(("prompts", "dataset"), message)
    if config.quality is not None:
        check_scorer(config.quality)


def _file(file: str, wanted: int) -> None:
    path = ("prompts", "file")
    if file.startswith("builtin:") and file != DEMO:
        raise Mistake(path, f"{file} is not allowed (allowed a file or {DEMO})")
    if file != DEMO and not Path(file).is_file():
        raise Mistake(path, f"no file {file}")
    try:
        found = len(read_prompts(file, wanted))
    except UsageError as error:
        raise Mistake(path, str(error)) from error
    except OSError as error:
        raise Mistake(path, f"cannot be read: {error.strerror}: {file}") from error
    if found == 0:
        raise Mistake(path, f"{file} is empty")
    if found < wanted:
        message = f"{wanted} is not allowed (allowed at most {found}, the prompts in {file})"
        raise Mistake(("worker", "num_samples"), message)


def check_scorer(quality: QualityConfig) -> None:
    """Raise Mistake for a scorer that is not there, as far as can be told without loading it."""
    model, pretrained = quality.model, quality.pretrained
    if model.startswith("builtin:") and model not in BUILTIN_SCORERS:
        hint = nearest(model, BUILTIN_SCORERS)
        message = f"nothing built in is named {model} (allowed {', '.join(BUILTIN_SCORERS)}{hint})"
        raise Mistake(("quality", "model"), message)
    if ":" not in model and (known := _architectures()) and model.replace("/", "-") not in known:
        message = f"open_clip has no architecture {model} (allowed one of its names{nearest(model, known)})"
        raise Mistake(("quality", "model"), message)
    if model.startswith(LOCAL_SCORER):
        folder = Path(model.removeprefix(LOCAL_SCORER))
        if not (folder / "open_clip_config.json").is_file():
            message = f"{folder} is no folder of open_clip (allowed one that holds open_clip_config.json)"
            raise Mistake(("quality", "model"), message)
    if pretrained is not None and _is_path(pretrained) and not Path(pretrained).is_file():
        message = f"no file {pretrained} (allowed a file or a tag of open_clip, as laion2b_s34b_b88k)"
        raise Mistake(("quality", "pretrained"), message)


def _architectures() -> list[str]:
    """Return the names of open_clip's architectures without importing it (and torch); none where it is absent."""
    package = find_spec("open_clip")
    folders = package.submodule_search_locations if package is not None else None
    return [file.stem for folder in folders or () for file in Path(folder, "model_configs").glob("*.json")]


def _is_path(pretrained: str) -> bool:
    """Tell a path from open_clip's tags, which have neither slashes nor endings."""
    return "/" in pretrained or Path(pretrained).suffix in _WEIGHTS
