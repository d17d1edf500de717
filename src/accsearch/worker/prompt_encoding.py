"""How each class of pipelines encodes prompts, so that it is done once for all trials, and by which encoders."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from accsearch.config.models import FAMILIES
from accsearch.methods.cell import guided
from accsearch.worker.machine import Machine

ENCODER_CHUNK = 16
ENCODERS = ("text_encoder", "text_encoder_2", "text_encoder_3")
NEGATIVE = "negative_"
_EMBEDS, _MASK, _POOLED = "prompt_embeds", "prompt_attention_mask", "pooled_prompt_embeds"
_MASKED = (_EMBEDS, _MASK, NEGATIVE + _EMBEDS, NEGATIVE + _MASK)

Embeddings = Mapping[str, torch.Tensor | list[torch.Tensor]]
"""Argument of the pipeline → what it is for all prompts, one row or one tensor each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """What `encode_prompt` of a class returns and takes.

    `results` name the pipeline's argument for each thing returned, None for what is not passed on. `arguments` are
    those of `encode_prompt` beside the prompts, `call` those that each generation is called with. `guided` is the
    parameter that asks for the unconditional half; where there is none, `unconditional` is the text that is encoded
    for it. `scale` is the pipeline's argument for the guidance scale.
    """

    results: tuple[str | None, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    call: Mapping[str, Any] = field(default_factory=dict)
    guided: str | None = "do_classifier_free_guidance"
    unconditional: str | None = None
    scale: str = "guidance_scale"


# A size that was asked for is generated as it is, not resized from the nearest one that the model knows.
_AS_ASKED = {"negative_prompt": None, "use_resolution_binning": False}
_ONE_EACH = {"num_images_per_prompt": 1}
_TEXT = (_EMBEDS, NEGATIVE + _EMBEDS)
_WITH_POOLED = (*_TEXT, _POOLED, NEGATIVE + _POOLED)
_PIXART = Encoding(results=_MASKED, call=_AS_ASKED)
ENCODINGS: Mapping[str, Encoding] = {
    "StableDiffusionPipeline": Encoding(results=_TEXT, arguments=_ONE_EACH),
    "StableDiffusionXLPipeline": Encoding(results=_WITH_POOLED, arguments={**_ONE_EACH, "prompt_2": None}),
    "StableDiffusion3Pipeline": Encoding(
        results=_WITH_POOLED, arguments={"prompt_2": None, "prompt_3": None}
    ),
    "PixArtAlphaPipeline": _PIXART,
    "PixArtSigmaPipeline": _PIXART,
    "SanaPipeline": _PIXART,
    "AuraFlowPipeline": Encoding(results=_MASKED),
    "ChromaPipeline": Encoding(
        results=(_EMBEDS, None, _MASK, NEGATIVE + _EMBEDS, None, NEGATIVE + _MASK),
    ),
    "FluxPipeline": Encoding(results=(_EMBEDS, _POOLED, None), arguments={"prompt_2": None}, guided=None),
    "Flux2Pipeline": Encoding(results=(_EMBEDS, None), guided=None),
    "QwenImagePipeline": Encoding(
        results=(_EMBEDS, "prompt_embeds_mask"), guided=None, unconditional=" ", scale="true_cfg_scale"
    ),
    "ZImagePipeline": Encoding(results=_TEXT),
}
"""Pipeline class → its encoding; prompts of other classes are encoded anew in each generation."""


def encode(
    pipeline: Any, prompts: Sequence[str], machine: Machine, settings: Mapping[str, Any]
) -> Embeddings:
    """Return what the prompts are for a pipeline of `ENCODINGS`, generating with `settings`; nothing for another."""
    name = type(pipeline).__name__
    encoding = ENCODINGS.get(name)
    if encoding is None:
        return {}
    halves = guided(FAMILIES[name], settings["guidance_scale"])
    with torch.inference_mode():
        found = _encoded(pipeline, encoding, prompts, machine, settings, halves)
        if encoding.unconditional is not None and halves:
            empty = _encoded(pipeline, encoding, [encoding.unconditional], machine, settings, False)
            found |= {NEGATIVE + each: _rows(value * len(prompts)) for each, value in _lists(empty).items()}
    return found


def _encoded(
    pipeline: Any,
    encoding: Encoding,
    prompts: Sequence[str],
    machine: Machine,
    settings: Mapping[str, Any],
    halves: bool,
) -> dict[str, torch.Tensor | list[torch.Tensor]]:
    arguments = {"device": machine.device, **_shared(pipeline, settings), **encoding.arguments}
    if encoding.guided is not None:
        arguments[encoding.guided] = halves
    parts: dict[str, list[torch.Tensor]] = {}
    lists = False
    for start in range(0, len(prompts), ENCODER_CHUNK):
        chunk = list(prompts[start : start + ENCODER_CHUNK])
        found = pipeline.encode_prompt(prompt=chunk, **arguments)
        for name, value in zip(encoding.results, found, strict=True):
            if name is None or (name.startswith(NEGATIVE) and not halves):
                continue
            if value is None:
                # A mask that hides nothing is not returned.
                value = torch.ones(parts[_EMBEDS][-1].shape[:1], dtype=torch.long, device=machine.device)
                value = value.expand(len(chunk), -1)
            lists = lists or isinstance(value, list)
            parts.setdefault(name, []).extend(value)
    return {name: values if lists else _rows(values) for name, values in parts.items()}


def _shared(pipeline: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the pipeline's call with `settings` gives its `encode_prompt` beside the prompts."""
    call = inspect.signature(type(pipeline).__call__).parameters
    taken = inspect.signature(pipeline.encode_prompt).parameters
    names = ("max_sequence_length", "complex_human_instruction")
    return {name: settings.get(name, call[name].default) for name in names if name in call and name in taken}


def _rows(values: list[torch.Tensor]) -> torch.Tensor:
    """Stack one tensor a prompt, shorter ones followed by zeros along their first dimension."""
    longest = max(value.shape[0] for value in values)
    return torch.stack(
        [
            torch.cat([value, value.new_zeros(longest - value.shape[0], *value.shape[1:])])
            if value.shape[0] < longest
            else value
            for value in values
        ]
    )


def _lists(found: Mapping[str, torch.Tensor | list[torch.Tensor]]) -> dict[str, list[torch.Tensor]]:
    return {name: list(value) for name, value in found.items()}


def park(pipeline: Any) -> dict[str, torch.nn.Module]:
    """Take the text encoders off the pipeline and off the device, and return them by name."""
    parked = {}
    for name in ENCODERS:
        encoder = getattr(pipeline, name, None)
        if isinstance(encoder, torch.nn.Module):
            parked[name] = encoder.to("cpu")
            setattr(pipeline, name, None)
    return parked


def unpark(pipeline: Any, parked: Mapping[str, torch.nn.Module], machine: Machine) -> None:
    """Put text encoders that `park` returned back on the pipeline and its device."""
    for name, encoder in parked.items():
        setattr(pipeline, name, encoder.to(machine.device))
