"""DeepCache: reuse the UNet's deep features over several steps."""

from accsearch.methods.cell import SECOND_ORDER, Cell
from accsearch.methods.info import Kind, LibraryUse, MethodInfo, Nesting, ParameterInfo, Parameters
from accsearch.methods.rivals import conflict_of
from accsearch.task import Methods

BRANCHES_PER_BLOCK = 3
"""Skip connections of one UNet block, by which branches are numbered from the outside in."""


def _refusal(cell: Cell, methods: Methods) -> str | None:
    interval, branch = methods["deepcache"]["cache_interval"], methods["deepcache"]["cache_branch_id"]
    if int(branch) >= cell.unet_blocks:
        return f"cache_branch_id {branch} is beyond this UNet's branches 0 to {cell.unet_blocks - 1}"
    if int(interval) > cell.steps:
        return f"cache_interval {interval} is more than {cell.steps} steps"
    if cell.implementation == "package" and cell.scheduler in SECOND_ORDER:
        return f"the package of deepcache runs wrong on {cell.scheduler}, which repeats timesteps"
    return None


def _caution(cell: Cell) -> str | None:
    if cell.implementation == "package" and cell.scheduler == "PNDM":
        return "the DeepCache package's schedule shifts on PNDM, which repeats a timestep"
    return None


def _calls(parameters: Parameters, steps: int, fresh: frozenset[int]) -> list[Kind]:
    interval, branch = int(parameters["cache_interval"]), parameters["cache_branch_id"]
    kinds, origin = [], 0
    for step in range(steps):
        if step in fresh:
            origin = step
        kinds.append("" if (step - origin) % interval == 0 else f"deepcache:shallow{branch}")
    return kinds


DEEPCACHE = MethodInfo(
    name="deepcache",
    parameters={
        "cache_interval": ParameterInfo(
            type=int,
            minimum=2,
            default=3,
            searched=(2, 3, 5),
            short="i",
            label="interval",
            doc="steps from one full pass of the UNet to the next",
        ),
        "cache_branch_id": ParameterInfo(
            type=int,
            minimum=0,
            default=0,
            searched=(0, 3),
            short="b",
            label="branch",
            doc="skip connection at which the UNet is cut, 0 the outermost; a larger one computes more",
        ),
    },
    exact=False,
    supports=frozenset({"sd", "sdxl"}),
    nesting=Nesting.FEATURES,
    paper="Ma, Fang, Wang: DeepCache: Accelerating Diffusion Models for Free, CVPR 2024, arXiv 2312.00858",
    doc="Deep features of the UNet are computed every few steps and reused in between.",
    searched=True,
    conflict=conflict_of("deepcache"),
    refusal=_refusal,
    caution=_caution,
    calls=_calls,
    counts_calls=True,
    library=LibraryUse(
        package="DeepCache",
        function="set_params",
        fields=("cache_interval", "cache_branch_id", "skip_mode"),
        defaults={"cache_interval": 1, "cache_branch_id": 0, "skip_mode": "uniform"},
    ),
)
