"""Half precision of the denoiser and the decoder."""

from accsearch.methods.cell import EVERY_FAMILY, Cell
from accsearch.methods.info import MethodInfo, Nesting, ParameterInfo
from accsearch.task import Methods


def _refusal(cell: Cell, methods: Methods) -> str | None:
    if methods["half"]["dtype"] == cell.dtype:
        return f"dtype {cell.dtype} is already the baseline's (worker.dtype)"
    return None


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
    nesting=Nesting.WEIGHTS,
    refusal=_refusal,
    paper="Micikevicius et al.: Mixed Precision Training, ICLR 2018, arXiv 1710.03740",
    doc="Weights and activations in 16 bits where the pipeline itself is loaded in another type.",
)
