"""Fewer sampler steps: the saving that every other method has to beat."""

from accsearch.methods.cell import EVERY_FAMILY, Cell
from accsearch.methods.info import MethodInfo, Nesting, ParameterInfo, Parameters
from accsearch.task import Methods


def steps_left(parameters: Parameters, steps: int) -> int:
    """Return how many of `steps` sampler steps the method makes."""
    return max(1, round(steps * float(parameters["ratio"])))


def _refusal(cell: Cell, methods: Methods) -> str | None:
    ratio, left = methods["fewer_steps"]["ratio"], steps_left(methods["fewer_steps"], cell.steps)
    if left == cell.steps:
        return f"ratio {ratio} of {cell.steps} steps saves none"
    if left < cell.fewest_steps:
        least = f"{cell.scheduler} takes at least {cell.fewest_steps}"
        return f"ratio {ratio} leaves {left} of {cell.steps} steps, and {least}"
    return None


FEWER_STEPS = MethodInfo(
    name="fewer_steps",
    parameters={
        "ratio": ParameterInfo(
            type=float,
            minimum=0.01,
            maximum=0.99,
            default=0.5,
            searched=(0.5,),
            short="r",
            doc="share of the steps that is left, rounded, at least one",
        ),
    },
    exact=False,
    supports=EVERY_FAMILY,
    nesting=Nesting.SAMPLER,
    conflict=lambda other: f"fewer_steps is a trial of its own, it does not combine with {other}",
    refusal=_refusal,
    calls=lambda _parameters, steps, _fresh: [""] * steps,
    steps_left=steps_left,
    paper="none: what any user can do without a method",
    doc="The same sampler with fewer steps, as a trial of its own.",
)
