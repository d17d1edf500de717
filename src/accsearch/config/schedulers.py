"""The schedulers of diffusers that sample text-to-image pipelines, by class name without the suffix."""

SUFFIX = "Scheduler"

FLOW_MATCH = frozenset({"FlowMatchEulerDiscrete", "FlowMatchHeunDiscrete", "FlowMatchLCM"})
"""Schedulers of flow-matching models (SD3, Flux) alone."""

SCHEDULERS = FLOW_MATCH | {
    "DDIM",
    "DDIMParallel",
    "DDPM",
    "DDPMParallel",
    "DEISMultistep",
    "DPMSolverMultistep",
    "DPMSolverSinglestep",
    "EDMDPMSolverMultistep",
    "EDMEuler",
    "EulerAncestralDiscrete",
    "EulerDiscrete",
    "HeunDiscrete",
    "IPNDM",
    "KDPM2AncestralDiscrete",
    "KDPM2Discrete",
    "LCM",
    "LMSDiscrete",
    "PNDM",
    "SASolver",
    "TCD",
    "UniPCMultistep",
}


def scheduler_name(written: str) -> str | None:
    """Return the class name without the suffix for a name written with or without it, None if unknown."""
    name = written.removesuffix(SUFFIX)
    return name if name in SCHEDULERS else None
