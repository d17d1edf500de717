"""Attention by one of PyTorch's kernels in place of the one that it would choose."""

from collections.abc import Mapping

from accsearch.methods.cell import EVERY_FAMILY
from accsearch.methods.info import LibraryUse, MethodInfo, Nesting, ParameterInfo

KERNELS: Mapping[str, str] = {
    "flash": "FLASH_ATTENTION",
    "efficient": "EFFICIENT_ATTENTION",
    "cudnn": "CUDNN_ATTENTION",
    "math": "MATH",
}
"""Backend → its name among `torch.nn.attention.SDPBackend`."""

ATTENTION = MethodInfo(
    name="attention",
    parameters={
        "backend": ParameterInfo(
            type=str,
            choices=tuple(KERNELS),
            default="cudnn",
            short="-",
            doc="kernel of scaled dot-product attention; one that the machine lacks or that takes no mask where there "
            "is one is left out of the results with that reason",
        ),
    },
    exact=True,
    supports=EVERY_FAMILY,
    nesting=Nesting.WEIGHTS,
    library=LibraryUse(
        function="set_attention_backend",
        fields=("backend",),
        # What diffusers calls `flash` is another package's kernel.
        values={"backend": {kernel: f"_native_{kernel}" for kernel in KERNELS}},
    ),
    paper="Dao et al.: FlashAttention, NeurIPS 2022, arXiv 2205.14135, and other kernels of PyTorch",
    doc="The denoiser's attention by one kernel of PyTorch in place of the one that it would choose.",
)
