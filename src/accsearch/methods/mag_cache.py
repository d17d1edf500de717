"""MagCache: skip all blocks while the calibrated magnitude of their residual predicts a small error."""

from collections.abc import Sequence
from statistics import fmean

from accsearch.methods.cell import ATTENTION_CACHED, AURAFLOW_UNKNOWN, BLOCKS_UNKNOWN, Cell
from accsearch.methods.compiled_blocks import needs_compiled_blocks
from accsearch.methods.info import LibraryUse, MethodInfo, Nesting, ParameterInfo
from accsearch.methods.rivals import conflict_of
from accsearch.task import Methods


def joined(ratios: Sequence[Sequence[float]]) -> list[float]:
    """Return the ratio of each call, the mean over the halves of guidance that have calls of their own."""
    return [fmean(each) for each in zip(*ratios, strict=True)]


def _refusal(cell: Cell, methods: Methods) -> str | None:
    if "guidance_cutoff" in methods and cell.guidance == "joined":
        return "guidance_cutoff changes the batch whose residual mag_cache keeps"
    return needs_compiled_blocks(cell, methods)


MAG_CACHE = MethodInfo(
    name="mag_cache",
    parameters={
        "threshold": ParameterInfo(
            type=float,
            minimum=0,
            default=0.06,
            short="t",
            quantiles=True,
            doc="predicted error, added up since the last full step, below which the blocks are skipped",
        ),
        "max_skip": ParameterInfo(
            type=int, minimum=1, default=3, short="k", doc="most steps skipped one after another"
        ),
        "retention": ParameterInfo(
            type=float,
            minimum=0,
            maximum=1,
            default=0.2,
            short="r",
            doc="share of the steps, from the first on, that always run in full",
        ),
    },
    exact=False,
    supports=ATTENTION_CACHED - {"auraflow"},
    unsupported={**BLOCKS_UNKNOWN, **AURAFLOW_UNKNOWN},
    nesting=Nesting.FEATURES,
    conflict=conflict_of("mag_cache"),
    refusal=_refusal,
    library=LibraryUse(
        config="MagCacheConfig",
        function="apply_mag_cache",
        fields=(
            "threshold",
            "max_skip_steps",
            "retention_ratio",
            "num_inference_steps",
            "mag_ratios",
            "calibrate",
        ),
        defaults={
            "threshold": 0.06,
            "max_skip_steps": 3,
            "retention_ratio": 0.2,
            "num_inference_steps": 28,
            "calibrate": False,
        },
        names={"max_skip": "max_skip_steps", "retention": "retention_ratio"},
    ),
    paper="Ma et al.: MagCache: Fast Video Generation with Magnitude-Aware Cache, arXiv 2506.09045",
    doc="All blocks are skipped while calibrated magnitudes of their residual predict a small error.",
)
