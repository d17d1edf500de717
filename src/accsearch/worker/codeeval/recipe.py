"""What the baseline is made of: what the generated code says, else what its own call had, else defaults."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accsearch.codeeval.fields import Fields
from accsearch.codeeval.knowledge import DEFAULT_STEPS, NUMBER_ARGUMENTS
from accsearch.codeeval.readable_models import DEMO_IDS, saved_scheduler
from accsearch.config.models import ModelInfo, resolve_model
from accsearch.sandbox.client import Refused
from accsearch.sandbox.wire import STEP_ARGUMENTS

LOADERS = ("DiffusionPipeline", "AutoPipelineForText2Image")
"""Classes that pick the pipeline's own class from the saved files."""

USUAL_STEPS = 50
MAX_STEPS = 1000
ERROR_LENGTH = 300
WHOLE_NUMBERS = ("height", "width", "max_sequence_length")
BOUNDS: Mapping[str, tuple[float, float]] = {
    "guidance_scale": (0.0, 20.0),
    "eta": (0.0, 1.0),
    "guidance_rescale": (0.0, 1.0),
    "height": (8, 2048),
    "width": (8, 2048),
    "max_sequence_length": (1, 512),
}
"""The lowest and highest value of each argument that a generated file may choose for the baseline's call."""


@dataclass(frozen=True)
class Recipe:
    """A pipeline and its call; `notes` name the arguments that were out of bounds and what was taken instead."""

    model: ModelInfo
    scheduler: str
    steps: int
    arguments: Mapping[str, float]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what the baseline used, as the evaluation reports it."""
        return {
            "pipeline": self.model.pipeline_class,
            "model_id": self.model.model_id,
            "scheduler": self.scheduler,
            "num_inference_steps": self.steps,
            **self.arguments,
            "notes": list(self.notes),
        }


def model_of(fields: Fields) -> ModelInfo:
    """Return the model that the code names. Raises Refused where that is unknown or not there."""
    if fields.model_id is None:
        raise Refused("invalid", "the code does not say which model, so there is no baseline")
    model = DEMO_IDS.get(fields.model_id, fields.model_id)
    wanted = None if fields.pipeline in (None, *LOADERS) else fields.pipeline
    try:
        return resolve_model({"name": "generated", "model": model, "class": wanted, "revision": None})
    except (ValueError, OSError, RuntimeError) as error:
        # OSError of a name that is too long for a path, RuntimeError of a home of nobody.
        raise Refused("invalid", f"the baseline cannot be built: {error}"[:ERROR_LENGTH]) from None


def recipe(model: ModelInfo, fields: Fields, own_call: Mapping[str, Any]) -> Recipe:
    """Return the baseline's recipe, given the arguments that the file says its own call had. Raises Refused."""
    notes: list[str] = []
    steps = fields.num_inference_steps
    if steps is None and (fields.arguments is None or "num_inference_steps" not in fields.unwritten):
        steps = _whole(own_call.get("num_inference_steps"))
    if steps is None:
        steps = DEFAULT_STEPS.get(model.pipeline_class, USUAL_STEPS)
    arguments = {}
    for name in NUMBER_ARGUMENTS:
        value = _given(name, fields, own_call)
        if isinstance(value, int | float) and not isinstance(value, bool) and value == value:
            number = _clamped(name, value, *BOUNDS[name], notes)
            arguments[name] = int(number) if name in WHOLE_NUMBERS else number
    return Recipe(
        model=model,
        scheduler=fields.scheduler or saved_scheduler(model),
        steps=int(_clamped("num_inference_steps", steps, 1, MAX_STEPS, notes)),
        arguments=arguments,
        notes=tuple(notes),
    )


def refuse_other_steps(fields: Fields, own_call: Mapping[str, Any]) -> None:
    """Raise Refused if the file's own call sets the steps by something else than their number."""
    written = fields.arguments or {}
    for name in STEP_ARGUMENTS:
        if written.get(name) is not None or name in own_call:
            raise Refused("invalid", f"its own call sets `{name}`, which replaces the number of steps")


def _given(name: str, fields: Fields, own_call: Mapping[str, Any]) -> Any:
    if fields.arguments is None:
        return own_call.get(name)
    if name not in fields.arguments:
        # The code leaves the default, whatever the file says of itself.
        return None
    written = fields.arguments[name]
    return own_call.get(name) if written is None else written


def _clamped(name: str, value: float, lowest: float, highest: float, notes: list[str]) -> float:
    clamped = min(max(value, lowest), highest)
    if clamped != value:
        notes.append(f"{name} {value:.6g} is out of {lowest:g} to {highest:g}: {clamped:g} was taken")
    return clamped


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
