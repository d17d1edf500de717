"""torch.compile of the denoiser."""

from accsearch.methods.cell import EVERY_FAMILY, Cell
from accsearch.methods.info import LibraryUse, MethodInfo, Nesting, ParameterInfo
from accsearch.task import Methods


def _refusal(cell: Cell, methods: Methods) -> str | None:
    if cell.implementation == "package":
        return "compile needs methods.implementation: native"
    own = methods["compile"]
    if own["regions"] == "blocks" and own["mode"] != "default":
        return f"compile.regions blocks takes the mode default, not {own['mode']}"
    return None


COMPILE = MethodInfo(
    name="compile",
    parameters={
        "mode": ParameterInfo(
            type=str,
            choices=("default", "reduce-overhead"),
            default="default",
            searched=("default", "reduce-overhead"),
            short="-",
            doc="torch.compile's mode; reduce-overhead replays CUDA graphs",
        ),
        "regions": ParameterInfo(
            type=str,
            choices=("denoiser", "blocks"),
            default="denoiser",
            short="-",
            hides_default=True,
            doc="what is compiled: the denoiser as a whole, or each of its repeated blocks, as caches round "
            "the blocks need it",
        ),
    },
    exact=True,
    supports=EVERY_FAMILY,
    nesting=Nesting.COMPILER,
    refusal=_refusal,
    library=LibraryUse(
        package="torch",
        function="compile",
        listed="torch_compile",
        defaults={
            "mode": "default",
            "regions": "denoiser",
            "fullgraph": False,
            "dynamic": "auto",
            "backend": "inductor",
        },
    ),
    paper="Ansel et al.: PyTorch 2, ASPLOS 2024, doi 10.1145/3620665.3640366",
    doc="The denoiser, or each of its repeated blocks, compiled; the time to compile is reported and not counted.",
)
