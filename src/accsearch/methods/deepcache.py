"""DeepCache: reuse the UNet's deep features over several steps."""

from accsearch.methods.info import MethodInfo, ParameterInfo

BRANCHES_PER_BLOCK = 3
"""Skip connections of one UNet block, by which branches are numbered from the outside in."""

DEEPCACHE = MethodInfo(
    name="deepcache",
    parameters={
        "cache_interval": ParameterInfo(
            type=int,
            minimum=2,
            default=3,
            searched=(2, 3, 5),
            short="i",
            doc="steps from one full pass of the UNet to the next",
        ),
        "cache_branch_id": ParameterInfo(
            type=int,
            minimum=0,
            default=0,
            searched=(0, 3),
            short="b",
            doc="skip connection at which the UNet is cut, 0 the outermost; a larger one computes more",
        ),
    },
    exact=False,
    supports=frozenset({"sd", "sdxl"}),
    paper="Ma, Fang, Wang: DeepCache: Accelerating Diffusion Models for Free, CVPR 2024, arXiv 2312.00858",
    doc="Deep features of the UNet are computed every few steps and reused in between.",
    searched=True,
)
