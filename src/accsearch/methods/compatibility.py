"""What goes with what: one table keyed by the set of methods, and rules about the cell and the parameters."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from accsearch.methods.catalogue import METHODS
from accsearch.methods.info import Family
from accsearch.task import Methods, Scalar

Implementation = Literal["native", "package"]
Parameters = Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Cell:
    """What the rules need to know of one cell of the grid.

    `scheduler` is without the suffix, `fewest_steps` what it takes at least, `unet_blocks` the number of DeepCache
    branches (0 without a UNet),
    `attention_downsample` the factor at which the denoiser's first self-attention sees the latents.
    """

    family: Family
    scheduler: str
    steps: int
    unet_blocks: int
    has_guidance: bool = True
    implementation: Implementation = "native"
    attention_downsample: int = 1
    dtype: str = "float16"
    fewest_steps: int = 1


CONFLICTS: Mapping[frozenset[str], str] = {
    frozenset({"fewer_steps", other}): f"fewer_steps is a trial of its own, it does not combine with {other}"
    for other in ("deepcache", "tgate", "tome", "half", "compile", "channels_last")
}
"""Sets that do not combine, with the reason; a larger set is refused when it contains one of these."""

SECOND_ORDER = frozenset({"HeunDiscrete", "KDPM2Discrete", "KDPM2AncestralDiscrete"})
"""Schedulers that call the denoiser twice a step and so repeat timesteps."""


def admits(cell: Cell, methods: Methods) -> str | None:
    """Return None if `methods` may run in `cell`, else why not, as one line. Parameters must be complete."""
    if reason := combines(methods):
        return reason
    for name, parameters in methods.items():
        if cell.family not in METHODS[name].supports:
            return f"{name} does not work on a pipeline of the family {cell.family}"
        if reason := RULES[name](cell, parameters):
            return reason
    return _package_rule(cell, methods) if cell.implementation == "package" else None


def combines(names: Iterable[str]) -> str | None:
    """Return None if the table lets these methods combine, else the reason."""
    together = frozenset(names)
    return next((reason for conflict, reason in CONFLICTS.items() if conflict <= together), None)


def caution(cell: Cell, methods: Methods) -> str | None:
    """Return what to say about `methods` although they are admitted in `cell`, or None."""
    if cell.implementation == "package" and "deepcache" in methods and cell.scheduler == "PNDM":
        return "the DeepCache package's schedule shifts on PNDM, which repeats a timestep"
    return None


def _deepcache(cell: Cell, parameters: Parameters) -> str | None:
    branch = int(parameters["cache_branch_id"])
    if branch >= cell.unet_blocks:
        return f"cache_branch_id {branch} is beyond this UNet's branches 0 to {cell.unet_blocks - 1}"
    if int(parameters["cache_interval"]) > cell.steps:
        return f"cache_interval {parameters['cache_interval']} is more than {cell.steps} steps"
    return None


def _tgate(cell: Cell, parameters: Parameters) -> str | None:
    if int(parameters["gate_step"]) >= cell.steps:
        return f"gate_step {parameters['gate_step']} is not below {cell.steps} steps"
    return None


def _tome(cell: Cell, parameters: Parameters) -> str | None:
    if int(parameters["max_downsample"]) < cell.attention_downsample:
        return (
            f"max_downsample {parameters['max_downsample']} merges nothing: "
            f"this denoiser's attention starts at {cell.attention_downsample}"
        )
    return None


def _half(cell: Cell, parameters: Parameters) -> str | None:
    if parameters["dtype"] == cell.dtype:
        return f"dtype {cell.dtype} is already the baseline's (worker.dtype)"
    return None


def _fewer_steps(cell: Cell, parameters: Parameters) -> str | None:
    left = max(1, round(cell.steps * float(parameters["ratio"])))
    if left == cell.steps:
        return f"ratio {parameters['ratio']} of {cell.steps} steps saves none"
    if left < cell.fewest_steps:
        least = f"{cell.scheduler} takes at least {cell.fewest_steps}"
        return f"ratio {parameters['ratio']} leaves {left} of {cell.steps} steps, and {least}"
    return None


def _anywhere(_cell: Cell, _parameters: Parameters) -> str | None:
    return None


RULES: Mapping[str, Callable[[Cell, Parameters], str | None]] = {
    "deepcache": _deepcache,
    "tgate": _tgate,
    "tome": _tome,
    "half": _half,
    "compile": _anywhere,
    "channels_last": _anywhere,
    "fewer_steps": _fewer_steps,
}


def _package_rule(cell: Cell, methods: Methods) -> str | None:
    """Return what the published packages cannot do although the native methods can."""
    if "compile" in methods:
        return "compile needs methods.implementation: native"
    if cell.scheduler in SECOND_ORDER and (broken := sorted({"deepcache", "tgate"} & methods.keys())):
        return f"the package of {broken[0]} runs wrong on {cell.scheduler}, which repeats timesteps"
    if "tgate" in methods and not cell.has_guidance:
        return "the package of tgate mixes images of a batch without guidance (worker.guidance_scale > 1)"
    if {"deepcache", "tgate"} <= methods.keys() and int(methods["tgate"]["sp_interval"]) > 1:
        return "with DeepCache the package of tgate needs sp_interval 1: skipped layers hold no cache"
    return None
