"""Pyramid Attention Broadcast: attention's output is reused over several steps in the middle of the sampling."""

from accsearch.methods.cell import ATTENTION_CACHED, BLOCKS_UNKNOWN, Cell
from accsearch.methods.compiled_blocks import no_compile
from accsearch.methods.info import Kind, LibraryUse, MethodInfo, Nesting, ParameterInfo, Parameters
from accsearch.methods.rivals import conflict_of
from accsearch.task import Methods


def reuses(parameters: Parameters, step: int, steps: int) -> bool:
    """Say whether attention's output is reused in a step of so many."""
    start, end = float(parameters["start"]), float(parameters["end"])
    return step > 0 and start < step / steps < end and step % int(parameters["interval"]) != 0


def _refusal(cell: Cell, methods: Methods) -> str | None:
    own = methods["pyramid_attention_broadcast"]
    if not any(reuses(own, step, cell.steps) for step in range(cell.steps)):
        return f"interval {own['interval']} from {own['start']} to {own['end']} of {cell.steps} steps reuses nothing"
    return no_compile(cell, methods)


def _calls(parameters: Parameters, steps: int, _fresh: frozenset[int]) -> list[Kind]:
    return [
        "pyramid_attention_broadcast:reuse" if reuses(parameters, step, steps) else ""
        for step in range(steps)
    ]


PYRAMID_ATTENTION_BROADCAST = MethodInfo(
    name="pyramid_attention_broadcast",
    parameters={
        "interval": ParameterInfo(
            type=int, minimum=2, default=2, short="i", doc="steps from one attention to the next"
        ),
        "start": ParameterInfo(
            type=float,
            minimum=0,
            maximum=1,
            default=0.2,
            short="s",
            doc="share of the steps after which attention may be reused",
        ),
        "end": ParameterInfo(
            type=float,
            minimum=0,
            maximum=1,
            default=0.9,
            short="e",
            doc="share of the steps after which it is computed again",
        ),
    },
    exact=False,
    supports=ATTENTION_CACHED,
    unsupported=BLOCKS_UNKNOWN,
    nesting=Nesting.ATTENTION,
    conflict=conflict_of("pyramid_attention_broadcast"),
    refusal=_refusal,
    calls=_calls,
    counts_calls=True,
    library=LibraryUse(
        config="PyramidAttentionBroadcastConfig",
        function="apply_pyramid_attention_broadcast",
        fields=(
            "spatial_attention_block_skip_range",
            "temporal_attention_block_skip_range",
            "cross_attention_block_skip_range",
            "spatial_attention_timestep_skip_range",
            "temporal_attention_timestep_skip_range",
            "cross_attention_timestep_skip_range",
        ),
        defaults={
            "spatial_attention_timestep_skip_range": (100, 800),
            "temporal_attention_timestep_skip_range": (100, 800),
            "cross_attention_timestep_skip_range": (100, 800),
        },
        # The range of steps has no counterpart: that of the library is one of timesteps.
        names={"interval": "spatial_attention_block_skip_range"},
    ),
    paper="Zhao et al.: Real-Time Video Generation with Pyramid Attention Broadcast, ICLR 2025, arXiv 2408.12588",
    doc="Attention's output is reused over several steps in the middle of the sampling.",
)
