"""DBCache of the package cache-dit: outer blocks always run, those between only if the outer ones changed enough."""

from accsearch.methods.cell import BLOCK_CACHED, BLOCKS_UNKNOWN, Cell
from accsearch.methods.compiled_blocks import no_compile
from accsearch.methods.info import LibraryUse, MethodInfo, Nesting, ParameterInfo
from accsearch.methods.rivals import conflict_of
from accsearch.task import Methods

UNTRIED = "cache-dit was not tried on this family (taylorseer, step_cache)"


def _refusal(cell: Cell, methods: Methods) -> str | None:
    warm_up = methods["cache_dit"]["warm_up"]
    if int(warm_up) >= cell.steps:
        return f"warm_up {warm_up} leaves none of {cell.steps} steps to skip"
    return no_compile(cell, methods)


CACHE_DIT = MethodInfo(
    name="cache_dit",
    parameters={
        "first": ParameterInfo(
            type=int, minimum=1, default=8, short="f", doc="first blocks that always run (Fn)"
        ),
        "last": ParameterInfo(
            type=int, minimum=0, default=0, short="b", doc="last blocks that always run (Bn)"
        ),
        "threshold": ParameterInfo(
            type=float,
            minimum=0,
            default=0.08,
            short="t",
            doc="relative change of the first blocks' residual below which the blocks between are skipped",
        ),
        "warm_up": ParameterInfo(
            type=int, minimum=1, default=8, short="w", doc="first steps that run in full"
        ),
    },
    exact=False,
    supports=BLOCK_CACHED,
    unsupported={
        **BLOCKS_UNKNOWN,
        "flux2": UNTRIED,
        "zimage": UNTRIED,
        "chroma": UNTRIED,
        "auraflow": UNTRIED,
    },
    nesting=Nesting.FEATURES,
    package="cache-dit",
    extra="cache-dit",
    conflict=conflict_of("cache_dit"),
    refusal=_refusal,
    library=LibraryUse(
        package="cache_dit",
        config="DBCacheConfig",
        function="enable_cache",
        fields=("cache_type", "Fn_compute_blocks", "Bn_compute_blocks", "residual_diff_threshold"),
        defaults={
            "Fn_compute_blocks": 8,
            "Bn_compute_blocks": 0,
            "residual_diff_threshold": 0.08,
            "max_warmup_steps": 8,
            "warmup_interval": 1,
            "max_cached_steps": -1,
            "max_continuous_cached_steps": -1,
        },
        names={
            "first": "Fn_compute_blocks",
            "last": "Bn_compute_blocks",
            "threshold": "residual_diff_threshold",
            "warm_up": "max_warmup_steps",
        },
    ),
    paper="DeftTruth et al.: cache-dit: A Unified Cache Acceleration Framework for Diffusion Transformers, 2025, "
    "github.com/vipshop/cache-dit (Dual Block Cache)",
    doc="Outer blocks always run, those between only if the residual of the first ones has changed enough.",
)
