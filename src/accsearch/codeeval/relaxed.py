"""The relaxed comparison: how near two programs are to the same pipeline, field by field."""

from pathlib import Path
from typing import Any

from accsearch.codeeval.field_weights import Weights
from accsearch.codeeval.fields import Fields
from accsearch.codeeval.knowledge import DEFAULT_SCHEDULERS, DEFAULT_STEPS
from accsearch.codeeval.method_similarity import methods_similarity
from accsearch.codeeval.static import canonical_model, compared, comparison

Judgement = tuple[float, str]
"""A similarity from 0 to 1 and what is different, empty if nothing is."""

_TASKS = ("ControlNet", "Img2Img", "Inpaint", "Upscale", "Pipeline")
_SOLVERS: tuple[frozenset[str], ...] = (
    frozenset({"DDIMScheduler", "DDPMScheduler", "DDIMParallelScheduler", "DDPMParallelScheduler"}),
    frozenset(
        {"EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "FlowMatchEulerDiscreteScheduler"}
    ),
    frozenset({"KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "HeunDiscreteScheduler"}),
    frozenset({"LCMScheduler", "TCDScheduler"}),
    frozenset({"PNDMScheduler", "IPNDMScheduler", "LMSDiscreteScheduler"}),
    frozenset(
        {
            "DPMSolverMultistepScheduler",
            "DPMSolverSDEScheduler",
            "DPMSolverSinglestepScheduler",
            "DEISMultistepScheduler",
            "SASolverScheduler",
            "UniPCMultistepScheduler",
        }
    ),
)
"""Schedulers of one kind: the same steps drawn otherwise, or solvers of the same equation and order."""


def compare_relaxed(reference: Path, generated: Path, weights: Weights | None = None) -> dict[str, Any]:
    """Return the comparison of two files as the JSON of `accsearch compare --mode relaxed`.

    It is the static comparison with a `score`, and a `similarity` and a `note` for each field.
    """
    return compared(reference, generated, lambda first, second: relaxed(first, second, weights or Weights()))


def relaxed(reference: Fields | None, generated: Fields | None, weights: Weights) -> dict[str, Any]:
    """Compare two sets of fields by similarity; None stands for a file that does not parse."""
    result = comparison(reference, generated, mode="relaxed")
    if reference is None or generated is None:
        judgements = dict.fromkeys(result["fields"], (0.0, "one of the files does not parse"))
    else:
        judgements = {
            "pipeline": _pipelines(reference, generated, weights),
            "model_id": _models(reference, generated, weights),
            "scheduler": _schedulers(reference, generated, weights),
            "num_inference_steps": _steps(reference, generated),
            "acceleration_methods": _absent("acceleration_methods", reference, generated)
            or methods_similarity(reference.methods or {}, generated.methods or {}, weights),
        }
    total = sum(weights.fields.values())
    score = 0.0
    for name, (similarity, note) in judgements.items():
        result["fields"][name].update(similarity=round(similarity, 6), note=note)
        score += weights.fields[name] / total * similarity
    return {**result, "score": round(min(score, 1.0), 6)}


def _absent(name: str, reference: Fields, generated: Fields) -> Judgement | None:
    """Judge a field of which a value is missing even with the defaults that are known."""
    states = reference.states[name], generated.states[name]
    if "undetermined" in states:
        where = (
            "both"
            if states[0] == states[1]
            else "the reference"
            if states[0] == "undetermined"
            else "the generated file"
        )
        return 0.0, f"only a run can tell, in {where}"
    if "unset" not in states:
        return None
    if states[0] == states[1]:
        return 1.0, ""
    return 0.0, f"set only in the {'generated file' if states[0] == 'unset' else 'reference'}"


def _pipelines(first: Fields, second: Fields, weights: Weights) -> Judgement:
    reference, generated = first.pipeline, second.pipeline
    if reference is None or generated is None:
        return _absent("pipeline", first, second) or (0.0, "")
    if reference == generated:
        return 1.0, ""
    if _is_generic(reference) != _is_generic(generated):
        return weights.generic_pipeline, "one class is chosen by the library when the model is loaded"
    if _family(reference) == _family(generated):
        return weights.pipeline_family, "another task of the same model family"
    return 0.0, "another pipeline"


def _is_generic(name: str) -> bool:
    return name == "DiffusionPipeline" or name.startswith("AutoPipelineFor")


def _family(name: str) -> str:
    for task in _TASKS:
        name = name.replace(task, "")
    return name


def _models(first: Fields, second: Fields, weights: Weights) -> Judgement:
    reference, generated = first.model_id, second.model_id
    if reference is None or generated is None:
        return _absent("model_id", first, second) or (0.0, "")
    if reference == generated:
        return 1.0, ""
    if canonical_model(reference) == canonical_model(generated):
        return 1.0, "mirrors of the same model"
    if _repository(reference) == _repository(generated) and _is_local(reference) != _is_local(generated):
        return weights.local_model, "a local path with the name of the same repository"
    return 0.0, "another model"


def _is_local(model_id: str) -> bool:
    return model_id.startswith((".", "/", "~")) or model_id.count("/") != 1


def _repository(model_id: str) -> str:
    return model_id.rstrip("/").rpartition("/")[2].lower()


def _schedulers(reference: Fields, generated: Fields, weights: Weights) -> Judgement:
    first, second = _scheduler(reference), _scheduler(generated)
    if first is None or second is None:
        return _absent("scheduler", reference, generated) or (0.0, "")
    if first == second:
        same = reference.scheduler == generated.scheduler
        return 1.0, "" if same else f"{first} in both: by its default or under another name in one"
    if any(first in family and second in family for family in _SOLVERS):
        return weights.solver_family, "another scheduler of the same kind of solver"
    return 0.0, "another scheduler"


def _scheduler(fields: Fields) -> str | None:
    """Return the scheduler in force, which is the model's own where the code sets none."""
    if fields.scheduler is not None:
        return fields.scheduler.removeprefix("Flax")
    if "scheduler" in fields.unwritten:
        return DEFAULT_SCHEDULERS.get(canonical_model(fields.model_id) or "")
    return None


def _steps(reference: Fields, generated: Fields) -> Judgement:
    first, second = _step_count(reference), _step_count(generated)
    if first is None or second is None:
        return _absent("num_inference_steps", reference, generated) or (0.0, "")
    if first == second:
        same = reference.num_inference_steps == generated.num_inference_steps
        return 1.0, "" if same else f"{first} is the default, which one file leaves out"
    if min(first, second) <= 0:
        return 0.0, f"{first} steps against {second}"
    return min(first, second) / max(first, second), f"{first} steps against {second}"


def _step_count(fields: Fields) -> int | None:
    if fields.num_inference_steps is None and "num_inference_steps" in fields.unwritten:
        return DEFAULT_STEPS.get(fields.pipeline or "")
    return fields.num_inference_steps
