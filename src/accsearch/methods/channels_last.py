"""Channels-last layout of convolution weights."""

from accsearch.methods.info import MethodInfo, Nesting, ParameterInfo

CHANNELS_LAST = MethodInfo(
    name="channels_last",
    parameters={
        "enabled": ParameterInfo(
            type=bool, choices=(True,), default=True, searched=(True,), doc="true; the baseline is without it"
        ),
    },
    exact=True,
    supports=frozenset({"sd", "sdxl"}),
    nesting=Nesting.WEIGHTS,
    paper="none: a memory layout of PyTorch",
    doc="Convolutions of the UNet and the decoder read their channels side by side.",
)
