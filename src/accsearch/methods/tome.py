"""ToMe: merge similar tokens around self-attention."""

from accsearch.methods.cell import Cell
from accsearch.methods.info import LibraryUse, MethodInfo, Nesting, ParameterInfo
from accsearch.task import Methods


def _refusal(cell: Cell, methods: Methods) -> str | None:
    lowest = methods["tome"]["max_downsample"]
    if int(lowest) < cell.attention_downsample:
        starts = f"this denoiser's attention starts at {cell.attention_downsample}"
        return f"max_downsample {lowest} merges nothing: {starts}"
    return None


TOME = MethodInfo(
    name="tome",
    parameters={
        "ratio": ParameterInfo(
            type=float,
            minimum=0.01,
            maximum=0.75,
            default=0.5,
            searched=(0.3, 0.5),
            short="r",
            doc="share of the tokens merged; three of four in each 2 x 2 square at most",
        ),
        "max_downsample": ParameterInfo(
            type=int,
            choices=(1, 2, 4, 8),
            default=1,
            searched=(1, 2),
            short="d",
            label="downsample",
            doc="lowest resolution merged at, as the factor by which the latents are downsampled there",
        ),
    },
    exact=False,
    supports=frozenset({"sd", "sdxl"}),
    nesting=Nesting.TOKENS,
    paper="Bolya, Hoffman: Token Merging for Fast Stable Diffusion, CVPRW 2023, arXiv 2303.17604",
    doc="Similar tokens are merged before self-attention and copied apart after it.",
    searched=True,
    refusal=_refusal,
    library=LibraryUse(
        package="tomesd",
        function="apply_patch",
        fields=(
            "model",
            "ratio",
            "max_downsample",
            "sx",
            "sy",
            "use_rand",
            "merge_attn",
            "merge_crossattn",
            "merge_mlp",
        ),
        defaults={
            "ratio": 0.5,
            "max_downsample": 1,
            "sx": 2,
            "sy": 2,
            "use_rand": True,
            "merge_attn": True,
            "merge_crossattn": False,
            "merge_mlp": False,
        },
    ),
)
