"""Half precision of the denoiser and the decoder."""

from accsearch.methods.info import EVERY_FAMILY, MethodInfo, ParameterInfo

HALF = MethodInfo(
    name="half",
    parameters={
        "dtype": ParameterInfo(
            type=str,
            choices=("float16", "bfloat16"),
            default="float16",
            searched=("float16", "bfloat16"),
            short="-",
            doc="the 16-bit type that weights and inputs are cast to",
        ),
    },
    exact=False,
    supports=EVERY_FAMILY,
    paper="Micikevicius et al.: Mixed Precision Training, ICLR 2018, arXiv 1710.03740",
    doc="Weights and activations in 16 bits where the pipeline itself is loaded in another type.",
)
