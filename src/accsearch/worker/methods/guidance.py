"""How a generation is guided: by both halves in one batch, by two calls of the denoiser a step, or not at all."""

from collections.abc import Mapping
from typing import Any

from accsearch.config.models import FAMILIES
from accsearch.methods.cell import guided

NEGATIVE_PROMPTS = ("negative_prompt", "negative_prompt_embeds")
CONDITIONAL_FIRST = frozenset({"ZImagePipeline"})
"""Pipelines whose batches hold the conditional half before the unconditional one."""
TWO_CALLS = frozenset({"ChromaPipeline"})
"""Pipelines that guide by two calls a step although they have no `true_cfg_scale`."""
EMBEDDED = frozenset({"FluxPipeline", "Flux2Pipeline"})
"""Pipelines whose `guidance_scale` is an input of their denoiser."""


def branches(pipeline: Any, denoiser: Any, arguments: Mapping[str, Any]) -> tuple[bool, int]:
    """Return whether batches hold both halves of guidance, and how many calls of the denoiser a step makes.

    Of two calls a step the first is the conditional one. `arguments` are those that the pipeline is called with.
    """
    name = type(pipeline).__name__
    scale = arguments.get("true_cfg_scale")
    if scale is not None:
        negative = any(arguments.get(each) is not None for each in NEGATIVE_PROMPTS)
        return False, 2 if scale > 1 and negative else 1
    if name in EMBEDDED or getattr(denoiser.config, "time_cond_proj_dim", None) is not None:
        return False, 1
    halves = guided(FAMILIES.get(name, "other"), arguments["guidance_scale"])
    return (False, 2 if halves else 1) if name in TWO_CALLS else (halves, 1)
