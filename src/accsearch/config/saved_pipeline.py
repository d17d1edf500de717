"""What a pipeline saved by diffusers says of itself in its folder, read without loading it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from accsearch.config.fingerprint import folder_fingerprint
from accsearch.methods.deepcache import BRANCHES_PER_BLOCK

_VARIANT = re.compile(r"[^.]+?(?:-\d{5}-of-\d{5})?(?:\.(\w+?)(?:-\d{5}-of-\d{5})?)?\.safetensors")
"""Names of weights: `model.safetensors`, `model.fp16.safetensors`, and either with the number of a shard."""
_OPTIONAL = frozenset({"safety_checker", "feature_extractor"})
"""Parts of a pipeline that nothing here loads."""
_UNREAD = frozenset(
    {".bin", ".ckpt", ".gif", ".gguf", ".h5", ".jpg", ".md", ".msgpack", ".onnx", ".onnx_data", ".pb", ".png"}
    | {".pt", ".pth", ".webp"}
)
"""Endings of what only safetensors weights are read beside: other weights, words and pictures."""


@dataclass(frozen=True, slots=True)
class UNetShape:
    """What DeepCache and ToMe depend on; `size` is the longer side in pixels, None where it is not said."""

    blocks: int
    attention_downsample: int
    size: int | None


@dataclass(frozen=True, slots=True)
class SavedPipeline:
    """A whole pipeline: its class, its UNet if it has one, its scheduler's settings, the variant of its weights."""

    pipeline_class: str
    unet: UNetShape | None = None
    variant: str | None = None
    scheduler: Mapping[str, Any] = field(default_factory=dict)


def read_saved(folder: Path, variant: str | None = None) -> SavedPipeline:
    """Read a saved pipeline; without `variant` the one variant is taken that it holds instead of plain weights.

    Raises ValueError where the folder is no whole pipeline.
    """
    index = _json(folder / "model_index.json")
    pipeline_class = index.get("_class_name")
    if not isinstance(pipeline_class, str):
        # A list names code of the repository's own, which is never run.
        raise ValueError(f"{folder} is no saved pipeline: its model_index.json names no class of diffusers")
    found, lacking = _weights(folder, index, variant)
    if lacking is not None:
        raise ValueError(f"{folder} is no whole pipeline: {lacking}")
    return SavedPipeline(pipeline_class, _unet(folder), found, scheduler_settings(folder))


def scheduler_settings(folder: Path) -> Mapping[str, Any]:
    """Return the settings that a saved pipeline's scheduler was saved with, nothing where there are none."""
    path = folder / "scheduler" / "scheduler_config.json"
    return _json(path) if path.is_file() else {}


def pipeline_fingerprint(folder: Path, variant: str | None = None) -> str:
    """Return what changes with anything that is read of a saved pipeline; raises OSError."""
    found = folder_fingerprint(folder, _is_unread)
    return found if variant is None else f"{found}.{variant}"


def _is_unread(relative: Path) -> bool:
    # Beside the index lie checkpoints of other programs, whole and large.
    alone = len(relative.parts) == 1 and relative.suffix == ".safetensors"
    return alone or relative.suffix.lower() in _UNREAD


def _weights(folder: Path, index: Mapping[str, Any], variant: str | None) -> tuple[str | None, str | None]:
    """Return the variant to load, and what is lacking of the parts that the index lists (None: nothing)."""
    if not any(path.is_file() for path in folder.glob("*/*.safetensors")):
        return None, "it holds no weights (allowed *.safetensors)"
    kept: dict[str, set[str | None]] = {}
    for name, kind in index.items():
        if name in _OPTIONAL or not isinstance(kind, list) or None in kind:
            continue
        if not (folder / name).is_dir():
            return None, f"it has no folder {name}"
        if (folder / name / "config.json").is_file():
            kept[name] = set(_variants(folder / name))
            if not kept[name]:
                return None, f"{name} holds no weights (allowed *.safetensors)"
    if variant is not None:
        return variant, _lacking_variant(kept, variant)
    if all(None in variants for variants in kept.values()):
        return None, None
    offered = {each for variants in kept.values() for each in variants if each is not None}
    fitting = sorted(each for each in offered if all({None, each} & variants for variants in kept.values()))
    if len(fitting) == 1:
        return fitting[0], None
    if fitting:
        return None, f"it holds several variants of its weights: give `variant` ({' or '.join(fitting)})"
    name = next(name for name, variants in kept.items() if None not in variants)
    return None, f"{name} holds no weights of the variant that the others have"


def _lacking_variant(kept: Mapping[str, set[str | None]], variant: str) -> str | None:
    """Return what is lacking of `variant`; a part without it is loaded from its plain weights."""
    offered = sorted({each for variants in kept.values() for each in variants if each is not None})
    if kept and variant not in offered:
        allowed = f"allowed {' or '.join(offered)}" if offered else "it has plain weights alone"
        return f"it holds no weights of the variant {variant} ({allowed})"
    without = [name for name, variants in kept.items() if not {None, variant} & variants]
    return f"{without[0]} holds no weights of the variant {variant}" if without else None


def _variants(part: Path) -> Iterator[str | None]:
    """Yield the variant of each file of weights in the folder of one part, None for plain ones."""
    for path in part.glob("*.safetensors"):
        if path.is_file() and (match := _VARIANT.fullmatch(path.name)):
            yield match[1]


def _unet(folder: Path) -> UNetShape | None:
    if not (folder / "unet" / "config.json").is_file():
        return None
    unet = _json(folder / "unet" / "config.json")
    levels = [str(kind) for kind in unet.get("down_block_types", ())]
    first = next((level for level, kind in enumerate(levels) if "Attn" in kind), 0)
    vae = _json(folder / "vae" / "config.json") if (folder / "vae" / "config.json").is_file() else {}
    scale = 2 ** max(len(vae.get("block_out_channels", (0,) * 4)) - 1, 0)
    sample = unet.get("sample_size")
    sides = sample if isinstance(sample, list) else [sample]
    size = max(sides) * scale if sides and all(isinstance(side, int) for side in sides) else None
    return UNetShape(BRANCHES_PER_BLOCK * len(levels), 2**first, size)


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ValueError(f"{path.parent} is no saved pipeline: it has no {path.name}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"{path} is not a JSON object")
    return value
