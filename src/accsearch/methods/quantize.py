"""Quantised weights, or weights and activations, by torchao."""

from collections.abc import Mapping

from accsearch.methods.cell import EVERY_FAMILY, Cell
from accsearch.methods.info import LibraryUse, MethodInfo, Nesting, ParameterInfo
from accsearch.task import Methods

CONFIGS: Mapping[str, str] = {
    "int8-weight-only": "Int8WeightOnlyConfig",
    "int8-dynamic": "Int8DynamicActivationInt8WeightConfig",
    "fp8-weight-only": "Float8WeightOnlyConfig",
    "fp8-dynamic": "Float8DynamicActivationFloat8WeightConfig",
}
"""Scheme → its configuration in `torchao.quantization`."""


def _refusal(cell: Cell, methods: Methods) -> str | None:
    scheme = methods["quantize"]["scheme"]
    if scheme == "fp8-dynamic" and "bfloat16" not in (cell.dtype, methods.get("half", {}).get("dtype")):
        return f"quantize by {scheme} needs bfloat16 (worker.dtype), not {cell.dtype}"
    return None


QUANTIZE = MethodInfo(
    name="quantize",
    parameters={
        "scheme": ParameterInfo(
            type=str,
            choices=tuple(CONFIGS),
            default="int8-dynamic",
            short="-",
            doc="type of the linear layers in the denoiser's blocks; dynamic ones quantise activations too, and are "
            "fast with compile alone",
        ),
    },
    exact=False,
    supports=EVERY_FAMILY,
    nesting=Nesting.WEIGHTS,
    package="torchao",
    extra="quantize",
    refusal=_refusal,
    library=LibraryUse(
        package="torchao", function="quantize_", names={"scheme": "config"}, values={"scheme": CONFIGS}
    ),
    paper="Or et al.: TorchAO: PyTorch-Native Training-to-Serving Model Optimization, arXiv 2507.16099",
    doc="Linear layers of the denoiser's blocks in 8 bits: their weights, or the activations too.",
)
