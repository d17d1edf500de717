"""The model registry: aliases, hub ids, local folders and built-in pipelines, without loading any of them."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from accsearch.config.hub_cache import snapshot
from accsearch.config.known_models import (
    ALIASES,
    FAMILIES,
    KNOWN,
    MIRRORS,
    STABLE_DIFFUSION,
    TINY,
)
from accsearch.config.mistake import nearest
from accsearch.config.model_info import BUILTIN, ModelInfo
from accsearch.config.pipeline_classes import unusable_class
from accsearch.config.saved_pipeline import pipeline_fingerprint, read_saved, scheduler_settings
from accsearch.demo import PIPELINES
from accsearch.methods.cell import Family

__all__ = [
    "ALIASES",
    "BUILTIN",
    "FAMILIES",
    "MIRRORS",
    "ModelInfo",
    "cached_scheduler",
    "resolve_model",
]

_BY_ID = {info.model_id: info for info in (*KNOWN, *TINY)}
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_CLASS = re.compile(r"[A-Z]\w*Pipeline", re.ASCII)
_VARIANT = re.compile(r"\w+", re.ASCII)


def resolve_model(pipe: str | Mapping[str, str | None], folder: Path | None = None) -> ModelInfo:
    """Return what is known of the model that an entry of the `pipe` axis names.

    An entry is an alias, or a mapping `{name, model, class, revision, variant}` whose model is an alias, a hub
    id, a local diffusers folder (relative to `folder` or the current one) or `builtin:…`. Raises ValueError, or
    OSError where a local folder cannot be read.
    """
    if isinstance(pipe, str):
        if pipe not in ALIASES:
            hint = nearest(pipe, ALIASES)
            raise ValueError(f"unknown model {pipe} (allowed {', '.join(ALIASES)}, or {{name, model}}{hint})")
        return _looked_up(ALIASES[pipe])
    model = str(pipe["model"])
    changes: dict[str, Any] = {"alias": pipe["name"]}
    if pipe.get("revision") is not None:
        changes["revision"] = pipe["revision"]
    wanted = pipe.get("class")
    if wanted is not None and not _CLASS.fullmatch(wanted):
        raise ValueError(f"class {wanted} is not a pipeline class of diffusers, as {STABLE_DIFFUSION}")
    variant = pipe.get("variant")
    if variant is not None and not _VARIANT.fullmatch(variant):
        raise ValueError(f"variant {variant} is not allowed (allowed letters, digits and _, as fp16)")
    info = _find(model, wanted, variant, folder)
    if wanted is not None and wanted != info.pipeline_class:
        changes |= {"pipeline_class": wanted, "family": FAMILIES.get(wanted, "other")}
    info = info.model_copy(update=changes)
    if info.pipeline_class not in FAMILIES and (why := unusable_class(info.pipeline_class)):
        raise ValueError(why)
    return _looked_up(info)


def _find(model: str, wanted: str | None, variant: str | None, folder: Path | None) -> ModelInfo:
    known = ALIASES.get(model) or _BY_ID.get(MIRRORS.get(model, model))
    if known is not None:
        if variant is not None and known.model_id.startswith(BUILTIN):
            raise ValueError(f"{known.model_id} has no variants of its weights")
        return known.model_copy(update={"variant": variant})
    if model.startswith(BUILTIN):
        names = [each for each in _BY_ID if each.startswith(BUILTIN)]
        raise ValueError(
            f"nothing built in is named {model} (allowed {', '.join(names)}{nearest(model, names)})"
        )
    for base in (folder, Path()):
        path = (base or Path()) / Path(model).expanduser()
        if path.is_dir():
            return _local(path.resolve(), variant)
    if not _HUB_ID.fullmatch(model) or model.startswith("."):
        hint = nearest(model, ALIASES)
        raise ValueError(f"no folder {model} (allowed an alias, a hub id OWNER/NAME or a folder{hint})")
    if wanted is None:
        raise ValueError(f"{model} is not in the registry: give its `class`, as {STABLE_DIFFUSION}")
    family = FAMILIES.get(wanted, "other")
    update = {
        "gated": False,
        "distilled": False,
        "model_id": model,
        "pipeline_class": wanted,
        "family": family,
        "variant": variant,
    }
    return _BY_FAMILY[family].model_copy(update={**update, "scheduler": {}})


_BY_FAMILY: Mapping[Family, ModelInfo] = {
    "sd": ALIASES["SD1.5"],
    "sdxl": ALIASES["SDXL"],
    "other": ALIASES["SDXL"].model_copy(update={"blocks": 0, "attention_downsample": 1, "guidance": 4.5}),
    **{info.family: info for info in reversed(KNOWN) if info.blocks == 0},
}
"""What is assumed of a hub model outside the registry until its weights are there."""


def _local(folder: Path, variant: str | None) -> ModelInfo:
    """Read what a saved pipeline says of itself; raises ValueError if it is none, OSError if it cannot be read."""
    saved = read_saved(folder, variant)
    family = FAMILIES.get(saved.pipeline_class, "other")
    update: dict[str, Any] = {
        "gated": False,
        "distilled": False,
        "model_id": str(folder),
        "pipeline_class": saved.pipeline_class,
        "family": family,
        "variant": saved.variant,
        "scheduler": saved.scheduler,
        "fingerprint": pipeline_fingerprint(folder, saved.variant),
    }
    if saved.unet is not None:
        update |= {"blocks": saved.unet.blocks, "attention_downsample": saved.unet.attention_downsample}
        update |= {} if saved.unet.size is None else {"size": saved.unet.size}
    return _BY_FAMILY[family].model_copy(update=update)


def _looked_up(info: ModelInfo) -> ModelInfo:
    """Add what the files of a built-in pipeline, or those in the hub's cache, say beside the registry."""
    if (folder := PIPELINES.get(info.model_id)) is not None:
        return info.model_copy(update={"fingerprint": pipeline_fingerprint(folder)})
    return info if info.scheduler else info.model_copy(update={"scheduler": cached_scheduler(info)})


def cached_scheduler(info: ModelInfo) -> Mapping[str, Any]:
    """Return the settings of a hub model's own scheduler where the hub's client keeps them, else nothing."""
    folder = None if info.model_id.startswith((BUILTIN, "/")) else snapshot(info.model_id, info.revision)
    try:
        return {} if folder is None else scheduler_settings(folder)
    except ValueError:
        return {}
