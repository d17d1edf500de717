"""TaylorSeer: predict features of skipped steps by a Taylor expansion over the steps that ran."""

from accsearch.methods.cell import ATTENTION_CACHED, BLOCKS_UNKNOWN, Cell
from accsearch.methods.compiled_blocks import needs_compiled_blocks, no_compile
from accsearch.methods.info import Kind, LibraryUse, MethodInfo, Nesting, ParameterInfo, Parameters
from accsearch.methods.rivals import conflict_of
from accsearch.task import Methods

ATTENTION = [r"((single_|joint_)?transformer_blocks\.\d+\.attn\d?|layers\.\d+\.attention)"]
BLOCKS = [r"((single_|joint_)?transformer_blocks|layers)\.\d+"]
LAST_LAYER = [r"proj_out|all_final_layer\..*"]


def identifiers(parameters: Parameters) -> dict[str, list[str]]:
    """Return the fields of diffusers' configuration that say what is predicted and what is skipped."""
    if parameters["scope"] == "attention":
        return {"cache_identifiers": ATTENTION}
    # The blocks give zeros of the right shape in steps in which the last layer's output is predicted.
    return {"skip_predict_identifiers": BLOCKS, "cache_identifiers": LAST_LAYER}


def computes(parameters: Parameters, step: int) -> bool:
    """Say whether a step runs in full; the first after the warm-up is the one whose number follows it by one."""
    warm_up = int(parameters["warm_up"])
    return step < warm_up or (step - warm_up - 1) % int(parameters["interval"]) == 0


def _refusal(cell: Cell, methods: Methods) -> str | None:
    own = methods["taylorseer"]
    if all(computes(own, step) for step in range(cell.steps)):
        return f"warm_up {own['warm_up']} leaves none of {cell.steps} steps to predict"
    return (needs_compiled_blocks if own["scope"] == "blocks" else no_compile)(cell, methods)


def _calls(parameters: Parameters, steps: int, _fresh: frozenset[int]) -> list[Kind]:
    return [
        "" if computes(parameters, step) else f"taylorseer:{parameters['scope']}" for step in range(steps)
    ]


TAYLORSEER = MethodInfo(
    name="taylorseer",
    parameters={
        "interval": ParameterInfo(
            type=int, minimum=2, default=3, short="i", doc="steps from one full step to the next"
        ),
        "warm_up": ParameterInfo(
            type=int, minimum=1, default=3, short="w", doc="first steps that run in full"
        ),
        "order": ParameterInfo(
            type=int, minimum=0, maximum=4, default=1, short="o", doc="order of the expansion; 0 reuses"
        ),
        "scope": ParameterInfo(
            type=str,
            choices=("attention", "blocks"),
            default="attention",
            short="-",
            doc="what is predicted: each attention's output, or the denoiser's last layer, every block skipped",
        ),
    },
    exact=False,
    supports=ATTENTION_CACHED,
    unsupported=BLOCKS_UNKNOWN,
    nesting=Nesting.FEATURES,
    conflict=conflict_of("taylorseer"),
    refusal=_refusal,
    calls=_calls,
    counts_calls=True,
    library=LibraryUse(
        config="TaylorSeerCacheConfig",
        function="apply_taylorseer_cache",
        fields=("cache_interval", "disable_cache_before_step", "disable_cache_after_step", "max_order"),
        defaults={
            "cache_interval": 5,
            "disable_cache_before_step": 3,
            "max_order": 1,
            "use_lite_mode": False,
        },
        names={
            "interval": "cache_interval",
            "warm_up": "disable_cache_before_step",
            "order": "max_order",
            "scope": "use_lite_mode",
        },
        values={"scope": {"attention": False, "blocks": True}},
    ),
    paper="Liu et al.: From Reusing to Forecasting: Accelerating Diffusion Models with TaylorSeers, ICCV 2025, "
    "arXiv 2503.06923",
    doc="Features of skipped steps are predicted by a Taylor expansion over the steps that ran.",
)
