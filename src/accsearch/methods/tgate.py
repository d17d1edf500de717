"""T-GATE: stop computing cross-attention once the image's content is settled."""

from accsearch.methods.info import MethodInfo, ParameterInfo

TGATE = MethodInfo(
    name="tgate",
    parameters={
        "gate_step": ParameterInfo(
            type=int,
            minimum=1,
            default=10,
            searched=(10, 25),
            short="g",
            doc="step from which cross-attention and guidance are replaced by their cache; below the steps",
        ),
        "sp_interval": ParameterInfo(
            type=int,
            minimum=1,
            default=5,
            searched=(1, 5),
            short="s",
            doc="steps from one self-attention to the next before the gate; 1 reuses none",
        ),
        "fi_interval": ParameterInfo(
            type=int,
            minimum=1,
            default=1,
            searched=(1,),
            short="f",
            doc="steps from one self-attention to the next after the gate; 1 reuses none",
        ),
        "warm_up": ParameterInfo(
            type=int,
            minimum=0,
            default=2,
            searched=(2,),
            short="w",
            doc="first steps in which self-attention is always computed",
        ),
    },
    exact=False,
    supports=frozenset({"sd", "sdxl", "pixart"}),
    paper="Zhang et al.: Faster Diffusion via Temporal Attention Decomposition, arXiv 2404.02747",
    doc="Cross-attention is computed until a gate step, then replaced by its cached mean.",
    searched=True,
    # DeepCache already skips most of the self-attention that sp_interval would reuse.
    paired_defaults={"deepcache": {"sp_interval": 1, "warm_up": 0}},
)
