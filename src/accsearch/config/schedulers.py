"""The schedulers of diffusers, by class name without the suffix, and what each can sample."""

from collections.abc import Mapping

SUFFIX = "Scheduler"

FLOW_MATCH = frozenset({"FlowMatchEulerDiscrete", "FlowMatchHeunDiscrete", "FlowMatchLCM"})
"""Schedulers of flow-matching models (SD3, Flux) alone."""

EDM = frozenset({"EDMDPMSolverMultistep", "EDMEuler"})
"""Schedulers of models trained as by Karras et al. (Playground 2.5) alone."""

MULTISTEP = frozenset({"DEISMultistep", "DPMSolverMultistep", "SASolver", "UniPCMultistep"})
"""Schedulers that place one timestep more than they take steps; they sample flows where `use_flow_sigmas` is set."""

FLOW_CAPABLE = MULTISTEP | {"DPMSolverSinglestep"}
"""Schedulers that sample a flow-matching model whose own scheduler sets `use_flow_sigmas`, as Sana's does."""

DISTILLED = frozenset({"LCM", "TCD", "FlowMatchLCM"})
"""Schedulers of models that were distilled for few steps."""

LEADING = frozenset({"DDIM", "DDIMParallel", "DDPM", "DDPMParallel", "LCM", "PNDM", "TCD"})
"""Schedulers whose `timestep_spacing` is leading unless set."""

LINSPACE = MULTISTEP | {
    "EulerAncestralDiscrete",
    "EulerDiscrete",
    "HeunDiscrete",
    "KDPM2AncestralDiscrete",
    "KDPM2Discrete",
    "LMSDiscrete",
}
"""Schedulers whose `timestep_spacing` is linspace unless set."""

SCHEDULERS = FLOW_MATCH | EDM | LEADING | LINSPACE | {"DPMSolverSinglestep"}

UNFIT: Mapping[str, str] = {
    "Amused": "samples token pipelines alone",
    "BlockRefinement": "samples language models alone",
    "CMStochasticIterative": "samples consistency models without prompts alone",
    "CogVideoXDDIM": "samples CogVideoX alone",
    "CogVideoXDPM": "samples CogVideoX alone",
    "ConsistencyDecoder": "decodes latents",
    "CosineDPMSolverMultistep": "samples Stable Audio alone",
    "DDIMInverse": "goes from an image to noise",
    "DDPMWuerstchen": "samples Würstchen and Stable Cascade alone",
    "DPMSolverMultistepInverse": "goes from an image to noise",
    "DPMSolverSDE": "needs the package torchsde",
    "IPNDM": "samples audio models with a time from 0 to 1 alone",
    "KarrasVe": "samples models without prompts alone",
    "LTXEulerAncestralRF": "samples LTX video alone",
    "RePaint": "fills in parts of an image",
    "SCM": "samples Sana Sprint alone",
    "ScoreSdeVe": "samples models without prompts alone",
    "ScoreSdeVp": "samples models without prompts alone",
    "UnCLIP": "samples unCLIP alone",
    "VQDiffusion": "samples token pipelines alone",
}
"""Other schedulers of diffusers, and why they sample none of the pipelines that are measured here."""


def scheduler_name(written: str) -> str | None:
    """Return the class name without the suffix for a name written with or without it, None if unknown."""
    name = written.removesuffix(SUFFIX)
    return name if name in SCHEDULERS else None
