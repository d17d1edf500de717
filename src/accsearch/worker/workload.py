"""The prompts as the pipeline takes them: embeddings computed once, each image with its own noise."""

from collections.abc import Sequence
from typing import Any

import torch

from accsearch.worker.machine import Machine

ENCODER_CHUNK = 16
SAMPLER_STREAM = 1 << 31
"""What is added to an image's seed for the sampler's noise; generators of the CPU keep 32 bits of a seed."""


class Workload:
    """Arguments for any batch of the prompts.

    The noise of an image depends on `seed` and its prompt's number alone, not on the batch size, so that a
    trial's image and the baseline's start from the same latents.
    """

    def __init__(
        self,
        pipeline: Any,
        prompts: Sequence[str],
        machine: Machine,
        *,
        seed: int,
        settings: dict[str, Any],
    ) -> None:
        self.prompts = tuple(prompts)
        self._machine = machine
        self._seed = seed
        self._settings = settings
        self._embeddings = _encode(pipeline, self.prompts, machine, settings["guidance_scale"] > 1)
        self._latents = None
        if self._embeddings:
            self._latents = _noise(pipeline, len(self.prompts), machine, seed, settings)
            height, width = self._latents.shape[-2:]
            scale = pipeline.vae_scale_factor
            # Said always: pipelines of diffusers do not all know the default of a model that is not square.
            self._settings = {**settings, "height": height * scale, "width": width * scale}

    def batches(self, size: int) -> list[list[int]]:
        """Return the numbers of all prompts, `size` at a time; the last batch may be smaller."""
        numbers = list(range(len(self.prompts)))
        return [numbers[start : start + size] for start in range(0, len(numbers), size)]

    def arguments(self, numbers: Sequence[int]) -> dict[str, Any]:
        """Return the pipeline's keyword arguments for the prompts with these numbers."""
        generators = [self._generator(number) for number in numbers]
        arguments = {**self._settings, "generator": generators}
        if self._latents is None:
            return {**arguments, "prompt": [self.prompts[number] for number in numbers]}
        index = torch.tensor(list(numbers), device=self._machine.device)
        tensors = {name: value[index] for name, value in self._embeddings.items()}
        return {**arguments, **tensors, "latents": self._latents[index]}

    def _generator(self, number: int) -> torch.Generator:
        """Return the source of the noise that a sampler adds on its way."""
        # On the device, since noise of the CPU would make the host wait at every step. Not the stream of the
        # latents, or the sampler would add the very noise that the image starts from.
        return torch.Generator(self._machine.device).manual_seed(self._seed + SAMPLER_STREAM + number)


def _encode(pipeline: Any, prompts: Sequence[str], machine: Machine, guided: bool) -> dict[str, torch.Tensor]:
    """Return the embeddings of SD and SDXL pipelines, (prompts, tokens, width); none for other classes."""
    names: tuple[str, ...]
    match type(pipeline).__name__:
        case "StableDiffusionPipeline":
            names, extra = ("prompt_embeds", "negative_prompt_embeds"), {}
        case "StableDiffusionXLPipeline":
            names = ("prompt_embeds", "negative_prompt_embeds")
            names = (*names, "pooled_prompt_embeds", "negative_pooled_prompt_embeds")
            extra = {"prompt_2": None}
        case _:
            return {}
    parts: dict[str, list[torch.Tensor]] = {name: [] for name in names}
    with torch.inference_mode():
        for start in range(0, len(prompts), ENCODER_CHUNK):
            found = pipeline.encode_prompt(
                prompt=list(prompts[start : start + ENCODER_CHUNK]),
                **extra,
                device=machine.device,
                num_images_per_prompt=1,
                do_classifier_free_guidance=guided,
            )
            for name, value in zip(names, found, strict=True):
                if value is not None:
                    parts[name].append(value)
    return {name: torch.cat(values) for name, values in parts.items() if values}


def _noise(pipeline: Any, count: int, machine: Machine, seed: int, settings: dict[str, Any]) -> torch.Tensor:
    """Return the starting noise of each image (count, channels, height, width), the same on every device."""
    size = pipeline.unet.config.sample_size
    rows, columns = (size, size) if isinstance(size, int) else size
    scale = pipeline.vae_scale_factor
    height = settings["height"] // scale if settings.get("height") else rows
    width = settings["width"] // scale if settings.get("width") else columns
    shape = (1, pipeline.unet.config.in_channels, height, width)
    noise = [
        torch.randn(shape, generator=torch.Generator().manual_seed(seed + number)) for number in range(count)
    ]
    return torch.cat(noise).to(machine.device, machine.dtype)
