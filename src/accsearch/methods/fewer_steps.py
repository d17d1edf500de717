"""Fewer sampler steps: the saving that every other method has to beat."""

from accsearch.methods.info import EVERY_FAMILY, MethodInfo, ParameterInfo

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
    paper="none: what any user can do without a method",
    doc="The same sampler with fewer steps, as a trial of its own.",
)
