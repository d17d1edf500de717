"""Step cache: skip the denoiser while the accumulated relative change of its output is predicted to be small."""

from accsearch.methods.cell import EVERY_FAMILY, Cell
from accsearch.methods.info import MethodInfo, Nesting, ParameterInfo
from accsearch.methods.rivals import conflict_of
from accsearch.task import Methods


def _refusal(cell: Cell, methods: Methods) -> str | None:
    warm_up = methods["step_cache"]["warm_up"]
    if int(warm_up) >= cell.steps:
        return f"warm_up {warm_up} leaves none of {cell.steps} steps to skip"
    if cell.implementation == "package":
        return "step_cache needs methods.implementation: native"
    return None


STEP_CACHE = MethodInfo(
    name="step_cache",
    parameters={
        "threshold": ParameterInfo(
            type=float,
            minimum=0,
            default="p50",
            short="t",
            quantiles=True,
            doc="predicted change of the output, added up since the last full step, below which a step is skipped",
        ),
        "warm_up": ParameterInfo(
            type=int, minimum=2, default=3, short="w", doc="first steps that run in full"
        ),
    },
    exact=False,
    supports=EVERY_FAMILY,
    nesting=Nesting.SAMPLER,
    conflict=conflict_of("step_cache"),
    refusal=_refusal,
    paper="Zhou et al.: Less is Enough: Training-Free Video Diffusion Acceleration via Runtime-Adaptive Caching "
    "(EasyCache), arXiv 2507.02860",
    doc="The denoiser is skipped, and the difference of its last output and input added to the new input instead, "
    "while the change of its output predicted from that of its input is small.",
)
