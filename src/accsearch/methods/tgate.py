"""T-GATE: stop computing cross-attention once the image's content is settled."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Self

from accsearch.methods.cell import SECOND_ORDER, Cell
from accsearch.methods.info import Kind, LibraryUse, MethodInfo, Nesting, ParameterInfo, Parameters
from accsearch.methods.rivals import conflict_of
from accsearch.task import Methods

LOADERS: Mapping[str, tuple[str, str | None]] = {
    "StableDiffusionPipeline": ("TgateSDLoader", "TgateSDDeepCacheLoader"),
    "StableDiffusionXLPipeline": ("TgateSDXLLoader", "TgateSDXLDeepCacheLoader"),
    "PixArtAlphaPipeline": ("TgatePixArtAlphaLoader", None),
    "PixArtSigmaPipeline": ("TgatePixArtSigmaLoader", None),
}
"""Class of the pipeline → the package's loader of T-GATE alone, and of T-GATE with DeepCache inside."""


class Use(Enum):
    """What an attention layer does with its cache in a step."""

    COMPUTE = "compute"
    STORE = "store"
    REUSE = "reuse"


@dataclass(frozen=True)
class Plan:
    """T-GATE's parameters, and what they make each step do."""

    gate_step: int
    sp_interval: int
    fi_interval: int
    warm_up: int

    @classmethod
    def of(cls, parameters: Parameters) -> Self:
        """Return the plan of a trial's parameters."""
        return cls(**{field.name: int(parameters[field.name]) for field in fields(cls)})

    def cross_attention(self, step: int) -> Use:
        """Return what cross-attention does in `step`, counted from 0."""
        if step < self.gate_step - 1:
            return Use.COMPUTE
        return Use.STORE if step == self.gate_step - 1 else Use.REUSE

    def self_attention(self, step: int) -> Use:
        """Return what self-attention does in `step`, counted from 0."""
        # What is computed in every step is read in none, so it is not stored.
        if step >= self.gate_step - 1:
            if self.fi_interval == 1:
                return Use.COMPUTE
            return Use.STORE if step == self.gate_step - 1 or step % self.fi_interval == 0 else Use.REUSE
        if step < self.warm_up or self.sp_interval == 1:
            return Use.COMPUTE
        return Use.STORE if step == self.warm_up or step % self.sp_interval == 0 else Use.REUSE


def _refusal(cell: Cell, methods: Methods) -> str | None:
    own = methods["tgate"]
    if int(own["gate_step"]) >= cell.steps:
        return f"gate_step {own['gate_step']} is not below {cell.steps} steps"
    if cell.implementation == "native":
        return None
    if cell.scheduler in SECOND_ORDER:
        return f"the package of tgate runs wrong on {cell.scheduler}, which repeats timesteps"
    if not cell.has_guidance:
        return "the package of tgate mixes images of a batch without guidance (worker.guidance_scale > 1)"
    if "deepcache" in methods and int(own["sp_interval"]) > 1:
        return "with DeepCache the package of tgate needs sp_interval 1: skipped layers hold no cache"
    return None


def _calls(parameters: Parameters, steps: int, _fresh: frozenset[int]) -> list[Kind]:
    plan = Plan.of(parameters)
    reuses = [plan.self_attention(step) is Use.REUSE for step in range(steps)]
    before, after = reuses[: plan.gate_step], reuses[plan.gate_step :]
    return [
        *("tgate:reuse" if reused else "" for reused in before),
        *("tgate:half-reuse" if reused else "tgate:half" for reused in after),
    ]


def _fresh_steps(parameters: Parameters) -> frozenset[int]:
    # The batch is halved at the gate, so features of before do not fit after it; at the step before it every
    # layer must fill its cache.
    gate = int(parameters["gate_step"])
    return frozenset({gate - 1, gate})


TGATE = MethodInfo(
    name="tgate",
    parameters={
        "gate_step": ParameterInfo(
            type=int,
            minimum=1,
            default=10,
            searched=(10, 25),
            short="g",
            label="gate",
            doc="step from which cross-attention and guidance are replaced by their cache; below the steps",
        ),
        "sp_interval": ParameterInfo(
            type=int,
            minimum=1,
            default=5,
            searched=(1, 5),
            short="s",
            label="sp",
            doc="steps from one self-attention to the next before the gate; 1 reuses none",
        ),
        "fi_interval": ParameterInfo(
            type=int,
            minimum=1,
            default=1,
            searched=(1,),
            short="f",
            label="fi",
            doc="steps from one self-attention to the next after the gate; 1 reuses none",
        ),
        "warm_up": ParameterInfo(
            type=int,
            minimum=0,
            default=2,
            searched=(2,),
            short="w",
            doc="first steps in which self-attention is always computed",
        ),
    },
    exact=False,
    supports=frozenset({"sd", "sdxl", "pixart"}),
    nesting=Nesting.ATTENTION,
    paper="Zhang et al.: Faster Diffusion via Temporal Attention Decomposition, arXiv 2404.02747",
    doc="Cross-attention is computed until a gate step, then replaced by its cached mean.",
    searched=True,
    conflict=conflict_of("tgate"),
    refusal=_refusal,
    calls=_calls,
    fresh_steps=_fresh_steps,
    library=LibraryUse(
        package="tgate",
        function="tgate",
        fields=("gate_step", "sp_interval", "fi_interval", "warm_up"),
        defaults={"gate_step": 10, "sp_interval": 5, "fi_interval": 1, "warm_up": 2},
    ),
    # DeepCache already skips most of the self-attention that sp_interval would reuse.
    paired_defaults={"deepcache": {"sp_interval": 1, "warm_up": 0}},
)
