"""The reuse key: what must be equal for a finished trial to stand in a later attempt."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from accsearch.task import MEASUREMENT_VERSION, Methods


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """All that a measurement depends on besides the trial's own methods."""

    model: str
    revision: str | None
    scheduler: str
    steps: int
    prompts: str
    """Fingerprint of the prompts' content."""
    num_samples: int
    batch_size: int
    seed: int
    dtype: str
    gpu_model: str | None
    """None on the CPU."""
    guidance_scale: float
    height: int | None
    width: int | None
    scorer: str
    """Model and weights of the quality score."""
    implementation: str
    repeats: int
    max_repeats: int
    ci_width: float
    warmup: int
    env: Mapping[str, str]
    """What the configuration adds to the worker's environment."""
    measurement_version: int = MEASUREMENT_VERSION


def reuse_key(setting: Setting, methods: Methods, condition: str | None = None) -> str:
    """Return 16 hexadecimal digits that change with anything that the trial's result depends on."""
    facts = {"setting": asdict(setting), "methods": {k: dict(v) for k, v in methods.items()}}
    if condition is not None:
        facts["condition"] = {"name": condition}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
