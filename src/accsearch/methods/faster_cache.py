"""FasterCache: extrapolate attention from step to step, and the unconditional half from the conditional one."""

from accsearch.methods.cell import ATTENTION_CACHED, BLOCKS_UNKNOWN, Cell
from accsearch.methods.compiled_blocks import no_compile
from accsearch.methods.info import Kind, LibraryUse, MethodInfo, Nesting, ParameterInfo, Parameters
from accsearch.methods.rivals import conflict_of
from accsearch.task import Methods


def halves(parameters: Parameters, step: int, steps: int) -> bool:
    """Say whether the unconditional half is left out in a step of so many."""
    return _late(parameters, step, steps) and step % int(parameters["guidance_interval"]) != 0


def _late(parameters: Parameters, step: int, steps: int) -> bool:
    return step > 0 and step / steps > float(parameters["start"])


def _refusal(cell: Cell, methods: Methods) -> str | None:
    own = methods["faster_cache"]
    if not any(halves(own, step, cell.steps) for step in range(cell.steps)):
        return f"start {own['start']} of {cell.steps} steps leaves nothing out"
    return no_compile(cell, methods)


def _calls(parameters: Parameters, steps: int, _fresh: frozenset[int]) -> list[Kind]:
    interval = int(parameters["interval"])

    def kind(step: int) -> Kind:
        if not halves(parameters, step, steps):
            return ""
        return "faster_cache:half-reuse" if step % interval else "faster_cache:half"

    return [kind(step) for step in range(steps)]


TWO_CALLS = "faster_cache keeps one cache, which the two calls of a guided step would share"

FASTER_CACHE = MethodInfo(
    name="faster_cache",
    parameters={
        "interval": ParameterInfo(
            type=int, minimum=2, default=2, short="i", doc="steps from one attention to the next"
        ),
        "guidance_interval": ParameterInfo(
            type=int,
            minimum=2,
            default=5,
            short="u",
            doc="steps from one unconditional half to the next; without one, attention alone is reused",
        ),
        "start": ParameterInfo(
            type=float,
            minimum=0,
            maximum=1,
            default=0.36,
            short="s",
            doc="share of the steps after which both begin",
        ),
    },
    exact=False,
    supports=ATTENTION_CACHED - {"qwen", "chroma", "zimage"},
    unsupported={
        **BLOCKS_UNKNOWN,
        "qwen": TWO_CALLS,
        "chroma": TWO_CALLS,
        "zimage": "the denoiser of Z-Image takes lists, which the hook of diffusers for faster_cache does not halve",
    },
    nesting=Nesting.ATTENTION,
    conflict=conflict_of("faster_cache"),
    refusal=_refusal,
    calls=_calls,
    counts_calls=True,
    library=LibraryUse(
        config="FasterCacheConfig",
        function="apply_faster_cache",
        fields=(
            "spatial_attention_block_skip_range",
            "temporal_attention_block_skip_range",
            "spatial_attention_timestep_skip_range",
            "temporal_attention_timestep_skip_range",
        ),
        defaults={
            "spatial_attention_block_skip_range": 2,
            "spatial_attention_timestep_skip_range": (-1, 681),
            "temporal_attention_timestep_skip_range": (-1, 681),
            "low_frequency_weight_update_timestep_range": (99, 901),
            "high_frequency_weight_update_timestep_range": (-1, 301),
            "alpha_low_frequency": 1.1,
            "alpha_high_frequency": 1.1,
            "unconditional_batch_skip_range": 5,
            "unconditional_batch_timestep_skip_range": (-1, 641),
            "tensor_format": "BCFHW",
            "is_guidance_distilled": False,
        },
        # The step at which it starts has no counterpart: the ranges of the library are of timesteps.
        names={
            "interval": "spatial_attention_block_skip_range",
            "guidance_interval": "unconditional_batch_skip_range",
        },
    ),
    paper="Lv et al.: FasterCache: Training-Free Video Diffusion Model Acceleration with High Quality, ICLR 2025, "
    "arXiv 2410.19355",
    doc="Attention is extrapolated from step to step, and the unconditional half from the conditional one.",
)
