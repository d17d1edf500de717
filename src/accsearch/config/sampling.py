"""Whether a scheduler fits the training of a model, and in how many steps it can sample it.

`settings` are those of the model's own scheduler, as `scheduler_config.json` holds them; a scheduler made from them
takes those that it knows and has defaults for the rest. What is refused here was tried with diffusers 0.42: it raises
an error or ends in noise.
"""

from collections.abc import Mapping
from typing import Any, Literal

from accsearch.config.pipeline_classes import made_for_flows
from accsearch.config.schedulers import (
    DISTILLED,
    EDM,
    FLOW_CAPABLE,
    FLOW_MATCH,
    LEADING,
    LINSPACE,
    MULTISTEP,
    SUFFIX,
)

Settings = Mapping[str, Any]
Training = Literal["diffusion", "flow", "edm"]

TRAINED_STEPS = 1000
DISTILLED_STEPS = 50
PRK_STEPS = 4
NO_IMAGES = frozenset({"EulerAncestralDiscrete", "KDPM2AncestralDiscrete", "KDPM2Discrete", "PNDM"})
"""Schedulers that know models which predict noise or velocity alone."""
BETAS = frozenset({"linear", "scaled_linear", "squaredcos_cap_v2"})
"""What every scheduler knows as `beta_schedule`."""
GIVES_SIGMAS = frozenset(
    {"FluxPipeline", "Flux2Pipeline", "QwenImagePipeline", "ChromaPipeline", "ZImagePipeline"}
)
"""Pipelines that give their scheduler sigmas of their own, which FlowMatchHeunDiscrete does not take."""
LOWEST_START = 0.75
"""Share of the training's timesteps below which an image does not start from noise as the model knows it."""


def training_of(settings: Settings, pipeline_class: str) -> Training | None:
    """Return how a model was trained, by its own scheduler or its class; None where neither says."""
    own = str(settings.get("_class_name", "")).removesuffix(SUFFIX)
    if own in EDM:
        return "edm"
    if own.startswith("FlowMatch") or _flows(settings):
        return "flow"
    if own in LEADING | LINSPACE | {"DPMSolverSinglestep"}:
        return "diffusion"
    return "flow" if not own and made_for_flows(pipeline_class) else None


def misfit(scheduler: str, settings: Settings, pipeline_class: str, model: str) -> str | None:
    """Return why `scheduler` would draw noise with `model`, None where it fits or nothing is known against it."""
    training = training_of(settings, pipeline_class)
    if scheduler == "FlowMatchHeunDiscrete" and pipeline_class in GIVES_SIGMAS:
        return f"{scheduler} takes no sigmas, which the pipeline of {model} gives its scheduler"
    if scheduler in FLOW_MATCH:
        known = training is not None or pipeline_class.startswith(
            ("StableDiffusionP", "StableDiffusionXL", "PixArt")
        )
        return (
            f"{scheduler} samples flow-matching models only, which {model} is not"
            if known and training != "flow"
            else None
        )
    if training == "flow":
        if scheduler in FLOW_CAPABLE and (_flows(settings) or not settings):
            return None
        fitting = FLOW_MATCH | (FLOW_CAPABLE if _flows(settings) else frozenset())
        return f"{scheduler} draws noise with {model}, a flow-matching model (allowed {', '.join(sorted(fitting))})"
    if scheduler in EDM:
        return (
            f"{scheduler} samples EDM models only, which {model} is not" if training == "diffusion" else None
        )
    if training == "edm":
        return f"{scheduler} draws noise with {model}, an EDM model (allowed {', '.join(sorted(EDM))})"
    if settings.get("prediction_type") == "sample" and scheduler in NO_IMAGES:
        return f"{scheduler} cannot sample a model that predicts images (prediction_type sample), as {model}"
    betas = settings.get("beta_schedule") or "linear"
    if settings.get("trained_betas") is None and betas not in BETAS and not scheduler.startswith("DDPM"):
        return f"{scheduler} does not know the beta_schedule {betas} of {model} (allowed DDPM, DDPMParallel)"
    return None


def doubt(scheduler: str, settings: Settings, steps: int) -> str | None:
    """Return why images would be worse than the model can make, though no noise; None if nothing is known."""
    own = str(settings.get("_class_name", "")).removesuffix(SUFFIX)
    if own and scheduler in DISTILLED and own not in DISTILLED:
        return f"{scheduler} is made for distilled models, which this is not known to be"
    if own in DISTILLED and scheduler not in DISTILLED:
        return (
            f"the model's own scheduler is {own}, for which it was distilled: {scheduler} may need more steps"
        )
    first = _first_timestep(scheduler, settings, steps)
    trained = _trained(settings)
    if first is not None and first < LOWEST_START * (trained - 1):
        return f"{scheduler} in {steps} steps starts at timestep {first} of {trained}, not from noise"
    return None


def fewest_steps(scheduler: str, settings: Settings) -> int:
    """Return the least steps that `scheduler` can take."""
    return PRK_STEPS if scheduler == "PNDM" and not settings.get("skip_prk_steps", False) else 1


def refused_steps(scheduler: str, settings: Settings, steps: int) -> str | None:
    """Return why `scheduler` cannot take that many steps with a model, None if it can."""
    fewest = fewest_steps(scheduler, settings)
    if steps < fewest:
        return (
            f"{scheduler} takes at least {fewest} steps where skip_prk_steps is not set, as with this model"
        )
    most = next((fewer for fewer in range(steps, fewest, -1) if _reaches(scheduler, settings, fewer)), fewest)
    return None if most == steps else f"{scheduler} takes at most {most} steps with this model"


def _reaches(scheduler: str, settings: Settings, steps: int) -> bool:
    """Say whether all timesteps of `steps` steps are among those of the training, no two the same."""
    if scheduler in DISTILLED - FLOW_MATCH:
        return steps <= int(settings.get("original_inference_steps") or DISTILLED_STEPS)
    trained = _trained(settings)
    if _spacing(scheduler, settings) == "linspace" and scheduler in MULTISTEP:
        return steps < trained
    first = _first_timestep(scheduler, settings, steps)
    return steps <= trained and (first is None or 0 < first + 1 <= trained)


def _first_timestep(scheduler: str, settings: Settings, steps: int) -> int | None:
    """Return the timestep at which leading spacing starts, None for other spacings; -1 where there is none."""
    if _spacing(scheduler, settings) != "leading" or scheduler in DISTILLED:
        return None
    trained, offset = _trained(settings), int(settings.get("steps_offset") or 0)
    if scheduler in MULTISTEP:
        ratio = trained // (steps + 1)
        return steps * ratio + offset if ratio else -1
    ratio = trained // steps
    return (steps - 1) * ratio + offset if ratio else -1


def _spacing(scheduler: str, settings: Settings) -> str | None:
    """Return how a scheduler made from `settings` spaces its timesteps, None where it has no choice."""
    default = "leading" if scheduler in LEADING else "linspace" if scheduler in LINSPACE else None
    return default and str(settings.get("timestep_spacing") or default)


def _flows(settings: Settings) -> bool:
    return bool(settings.get("use_flow_sigmas")) or settings.get("prediction_type") == "flow_prediction"


def _trained(settings: Settings) -> int:
    return int(settings.get("num_train_timesteps") or TRAINED_STEPS)
