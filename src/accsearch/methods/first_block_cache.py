"""First Block Cache: run the first block, and the others only if its residual has changed enough."""

from accsearch.methods.cell import AURAFLOW_UNKNOWN, BLOCK_CACHED, BLOCKS_UNKNOWN
from accsearch.methods.compiled_blocks import needs_compiled_blocks
from accsearch.methods.info import LibraryUse, MethodInfo, Nesting, ParameterInfo
from accsearch.methods.rivals import conflict_of

JOINED = "the last blocks join text and image, which the hook of diffusers does not follow (mag_cache)"

FIRST_BLOCK_CACHE = MethodInfo(
    name="first_block_cache",
    parameters={
        "threshold": ParameterInfo(
            type=float,
            minimum=0,
            default="p50",
            short="t",
            quantiles=True,
            doc="relative change of the first block's residual below which the other blocks are skipped",
        ),
    },
    exact=False,
    supports=BLOCK_CACHED,
    unsupported={
        **BLOCKS_UNKNOWN,
        **AURAFLOW_UNKNOWN,
        "flux2": JOINED,
        "chroma": JOINED,
        "zimage": "the hook of diffusers finds no states among the arguments of Z-Image's blocks (mag_cache)",
    },
    nesting=Nesting.FEATURES,
    conflict=conflict_of("first_block_cache"),
    refusal=needs_compiled_blocks,
    library=LibraryUse(
        config="FirstBlockCacheConfig",
        function="apply_first_block_cache",
        fields=("threshold",),
        defaults={"threshold": 0.05},
    ),
    paper="Cheng: First Block Cache, ParaAttention 2024, after Liu et al.: TeaCache, CVPR 2025, arXiv 2411.19108",
    doc="All blocks but the first are skipped in steps in which the first block's residual has hardly changed.",
)
