"""Guidance cut-off: no unconditional half from a step on."""

from collections.abc import Mapping

from accsearch.methods.cell import EVERY_FAMILY, GUIDANCE, GUIDED_ABOVE, Cell, Family
from accsearch.methods.info import Kind, MethodInfo, Nesting, ParameterInfo, Parameters
from accsearch.methods.rivals import conflict_of
from accsearch.task import Methods

EMBEDDED: Mapping[Family, str] = {
    family: "guidance_cutoff finds no unconditional half: the denoiser takes the guidance scale as an input"
    for family, guidance in GUIDANCE.items()
    if guidance == "embedded"
}


def _refusal(cell: Cell, methods: Methods) -> str | None:
    if not cell.has_guidance:
        least = GUIDED_ABOVE.get(cell.family, 1.0)
        return f"guidance_cutoff needs an unconditional half: a guidance scale above {least:g}"
    if int(methods["guidance_cutoff"]["start"]) >= cell.steps:
        return f"start {methods['guidance_cutoff']['start']} is not below {cell.steps} steps"
    if cell.implementation == "package":
        return "guidance_cutoff needs methods.implementation: native"
    return None


def _calls(parameters: Parameters, steps: int, _fresh: frozenset[int]) -> list[Kind]:
    return ["guidance_cutoff:half" if step >= int(parameters["start"]) else "" for step in range(steps)]


GUIDANCE_CUTOFF = MethodInfo(
    name="guidance_cutoff",
    parameters={
        "start": ParameterInfo(
            type=int,
            minimum=1,
            default=10,
            short="s",
            doc="step from which the unconditional half is left out; below the steps",
        ),
    },
    exact=False,
    supports=EVERY_FAMILY - EMBEDDED.keys(),
    unsupported=EMBEDDED,
    nesting=Nesting.ATTENTION,
    conflict=conflict_of("guidance_cutoff"),
    refusal=_refusal,
    calls=_calls,
    # The batch is halved there, so features of before do not fit after it.
    fresh_steps=lambda parameters: frozenset({int(parameters["start"])}),
    paper="Castillo et al.: Adaptive Guidance, arXiv 2312.12487; Kynkäänniemi et al.: Applying Guidance in a Limited "
    "Interval, NeurIPS 2024, arXiv 2404.07724",
    doc="From a step on the conditional half alone is computed, and stands for both.",
)
