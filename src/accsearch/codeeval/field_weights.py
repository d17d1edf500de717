"""The weights of the relaxed comparison, and reading them from a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from accsearch.codeeval.fields import FIELD_NAMES
from accsearch.errors import ConfigError, UsageError


def _field_weights() -> dict[str, float]:
    return {
        "pipeline": 0.2,
        "model_id": 0.2,
        "scheduler": 0.15,
        "num_inference_steps": 0.15,
        "acceleration_methods": 0.3,
    }


@dataclass(frozen=True)
class Weights:
    """How much each field counts in the score, and how similar near misses are; similarities are 0 to 1."""

    fields: Mapping[str, float] = field(default_factory=_field_weights)
    generic_pipeline: float = 0.9
    """A class that picks the pipeline itself, such as `DiffusionPipeline`, against a named one."""
    pipeline_family: float = 0.5
    """Another task of the same model family, such as image-to-image."""
    local_model: float = 0.8
    """A local path whose last part is the name of the hub's repository."""
    solver_family: float = 0.5
    """Another scheduler of the same kind of solver."""
    method_presence: float = 0.5
    """The part of a method's similarity that it has for being there; the rest is for its parameters."""
    unknown_parameter: float = 0.5
    """A parameter that in one of the files only a run can tell."""


def load_weights(path: Path) -> Weights:
    """Read weights from YAML or JSON, a mapping with attributes of `Weights`; raise ConfigError."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"not YAML: {' '.join(str(error).split())}", file=path) from error
    if not isinstance(document, dict):
        raise ConfigError("weights have to be a mapping", file=path)
    known = [item.name for item in fields(Weights)]
    settings: dict[str, Any] = {}
    for key, value in document.items():
        if key not in known:
            raise ConfigError(f"unknown; allowed are {', '.join(known)}", file=path, key=str(key))
        settings[key] = _field_mapping(path, value) if key == "fields" else _number(path, key, value, 1.0)
    return Weights(**settings)


def _field_mapping(path: Path, value: Any) -> dict[str, float]:
    if not isinstance(value, dict):
        raise ConfigError("has to map fields to numbers", file=path, key="fields")
    for name in value:
        if name not in FIELD_NAMES:
            raise ConfigError(
                f"unknown; allowed are {', '.join(FIELD_NAMES)}", file=path, key=f"fields.{name}"
            )
    merged = {
        **_field_weights(),
        **{name: _number(path, f"fields.{name}", number, float("inf")) for name, number in value.items()},
    }
    if sum(merged.values()) <= 0:
        raise ConfigError("at least one weight has to be above 0", file=path, key="fields")
    return merged


def _number(path: Path, key: str, value: Any, highest: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= highest:
        limit = "0 or more" if highest > 1 else "from 0 to 1"
        raise ConfigError(f"{value!r} is not a number {limit}", file=path, key=key)
    if value == float("inf"):
        raise ConfigError("has to be finite", file=path, key=key)
    return float(value)
