"""Checks of what a configuration names outside itself: prompts, a data set, the scorer's weights."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from accsearch.config.dataset_splits import missing_split
from accsearch.config.mistake import Findings, Mistake, nearest
from accsearch.config.prompts import DEMO, read_prompts
from accsearch.config.schema import LOCAL_SCORER, Config, QualityConfig
from accsearch.config.scorer_tags import architectures, check_tag
from accsearch.errors import UsageError

BUILTIN_SCORERS = ("builtin:demo", "builtin:tiny")
_WEIGHTS = frozenset({".bin", ".ckpt", ".npz", ".pt", ".pth", ".safetensors"})
_HUB_DATASET = re.compile(r"([A-Za-z0-9][\w.-]*/)?[A-Za-z0-9][\w.-]*")


def check_sources(config: Config) -> Iterator[Mistake]:
    """Yield what is wrong with prompts or weights that are not where the configuration says."""
    findings = Findings()
    findings.of(_prompts, config)
    if config.quality is not None:
        findings.of(check_scorer, config.quality)
    yield from findings


def _prompts(config: Config) -> None:
    prompts = config.prompts
    if (prompts.file is None) == (prompts.dataset is None):
        raise Mistake(("prompts",), "allowed either {file} or {dataset, split, column}")
    if prompts.file is not None:
        _file(prompts.file, config.worker.num_samples)
    elif not (Path(str(prompts.dataset)).is_dir() or _HUB_DATASET.fullmatch(str(prompts.dataset))):
        message = f"no folder {prompts.dataset} (allowed a folder or a hub name OWNER/NAME)"
        raise Mistake(("prompts", "dataset"), message)
    elif wrong := missing_split(Path(str(prompts.dataset)), prompts.split):
        raise Mistake(("prompts", "split"), wrong)


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
    """Raise Mistake for a scorer that is not there, as far as can be seen without loading it."""
    if quality.command:
        if shutil.which(quality.command[0]) is None:
            message = f"no program {quality.command[0]} (allowed one that can be started from this folder)"
            raise Mistake(("quality", "command"), message)
        return
    model, pretrained = quality.model, quality.pretrained
    if model.startswith("builtin:") and model not in BUILTIN_SCORERS:
        hint = nearest(model, BUILTIN_SCORERS)
        message = f"nothing built in is named {model} (allowed {', '.join(BUILTIN_SCORERS)}{hint})"
        raise Mistake(("quality", "model"), message)
    if ":" not in model and (known := architectures()) and model.replace("/", "-") not in known:
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
    if ":" not in model and (pretrained is None or not Path(pretrained).is_file()):
        check_tag(model, pretrained)


def _is_path(pretrained: str) -> bool:
    """Tell a path from open_clip's tags, which have neither slashes nor endings."""
    return "/" in pretrained or Path(pretrained).suffix in _WEIGHTS
