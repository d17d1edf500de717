"""The un-accelerated pipeline of a generated file's configuration, built here and never shown to the file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from accsearch.codeeval.fields import Fields
from accsearch.codeeval.guest import Refused
from accsearch.codeeval.models import hub_cache
from accsearch.codeeval.sandbox.scratch import DEMO_ID
from accsearch.config.models import ModelInfo, resolve_model
from accsearch.demo import pipeline_path
from accsearch.worker.machine import Machine
from accsearch.worker.pipelines import load_pipeline

LOADERS = ("DiffusionPipeline", "AutoPipelineForText2Image")
"""Classes that pick the pipeline's own class from the saved files."""

DEFAULT_STEPS = 50
SHARED = ("guidance_scale", "height", "width", "eta", "guidance_rescale")
"""Numbers of the file's own call that the baseline takes over."""

LARGEST = 2048


class Baseline:
    """The pipeline, and how it is called; the same call makes the images of fewer steps."""

    def __init__(self, pipeline: Any, steps: int, arguments: Mapping[str, float], machine: Machine) -> None:
        self.pipeline = pipeline
        self.steps = steps
        self._arguments = arguments
        self._machine = machine

    def image(self, prompt: str, seed: int, steps: int | None = None) -> Any:
        """Return the RGB picture of a prompt and a seed, made in `steps` (default: the configuration's)."""
        generator = torch.Generator("cpu").manual_seed(seed)
        with torch.inference_mode():
            result = self.pipeline(
                prompt, num_inference_steps=steps or self.steps, generator=generator, **self._arguments
            )
        self._machine.synchronize()
        return result.images[0].convert("RGB")


def model_of(fields: Fields) -> ModelInfo:
    """Return the model that the code names. Raises Refused where that is unknown or not there."""
    if fields.model_id is None:
        raise Refused("invalid", "the model cannot be told from the code, so there is no baseline")
    model = "builtin:demo" if fields.model_id == DEMO_ID else fields.model_id
    wanted = None if fields.pipeline in (None, *LOADERS) else fields.pipeline
    try:
        return resolve_model({"name": "generated", "model": model, "class": wanted, "revision": None})
    except ValueError as error:
        raise Refused("invalid", f"the baseline cannot be built: {error}") from None


def build(model: ModelInfo, fields: Fields, told: Mapping[str, Any], machine: Machine) -> Baseline:
    """Load the baseline. `told` are the numbers of the file's own call, as it says. Raises Refused."""
    steps = fields.num_inference_steps or _whole(told.get("num_inference_steps")) or DEFAULT_STEPS
    scheduler = fields.scheduler or _own_scheduler(model)
    try:
        pipeline = load_pipeline(model, scheduler.removesuffix("Scheduler"), machine)
    except (OSError, ValueError) as error:
        text = " ".join(str(error).split())[:300]
        raise Refused("invalid", f"the baseline cannot be built: {text}") from None
    return Baseline(pipeline, steps, _shared(told), machine)


def _shared(told: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in SHARED:
        value = told.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= LARGEST:
            found[name] = value
    return found


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 1000 else None


def _own_scheduler(model: ModelInfo) -> str:
    """Return the class of the scheduler that the model was saved with."""
    folder = pipeline_path() if model.model_id == "builtin:demo" else Path(model.model_id)
    if not folder.is_dir():
        snapshots = hub_cache() / ("models--" + model.model_id.replace("/", "--")) / "snapshots"
        folder = next((each for each in sorted(snapshots.glob("*")) if each.is_dir()), folder)
    try:
        index = json.loads((folder / "model_index.json").read_bytes())
        return str(index["scheduler"][1])
    except (OSError, ValueError, LookupError, TypeError):
        raise Refused(
            "invalid", f"the scheduler of {model.model_id} is unknown: its weights are not here"
        ) from None
