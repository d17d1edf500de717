"""The prompts as the pipeline takes them: embeddings computed once, each image with its own noise."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from accsearch.worker.machine import Machine
from accsearch.worker.noise import default_size, starting_noise
from accsearch.worker.prompt_encoding import ENCODINGS, encode, park, unpark

SAMPLER_STREAM = 1 << 31
"""What is added to an image's seed for the sampler's noise; generators of the CPU keep 32 bits of a seed."""
_FLOAT32_LATENTS = frozenset({"SanaPipeline", "ZImagePipeline"})
"""Pipelines that keep their latents in float32, whatever the type of their weights."""
_SMALL_ENCODERS = frozenset({"StableDiffusionPipeline", "StableDiffusionXLPipeline"})
"""Pipelines whose text encoders stay on the device: they take less than two gigabytes in all."""


class Workload:
    """Arguments for any batch of the prompts.

    The noise of an image depends on `seed` and its prompt's number alone, not on the batch size, so that a
    trial's image and the baseline's start from the same latents. `settings` are `num_inference_steps`,
    `guidance_scale` and, where the model or its configuration says them, `height`, `width` and
    `max_sequence_length`; `size` is the side in pixels of a model
    that does not say its own. Large text encoders leave the pipeline once the prompts are encoded and wait in
    `encoders`.
    """

    def __init__(
        self,
        pipeline: Any,
        prompts: Sequence[str],
        machine: Machine,
        *,
        seed: int,
        settings: dict[str, Any],
        size: int = 512,
        encoders: Mapping[str, torch.nn.Module] | None = None,
    ) -> None:
        self.prompts = tuple(prompts)
        self.encoders: Mapping[str, torch.nn.Module] = encoders or {}
        self._machine = machine
        self._seed = seed
        self._settings = settings
        self._latents = None
        name = type(pipeline).__name__
        if self.encoders:
            unpark(pipeline, self.encoders, machine)
        self._embeddings = encode(pipeline, self.prompts, machine, settings)
        mask = self._embeddings.get("prompt_embeds_mask")
        self._tokens = mask.sum(dim=1).tolist() if isinstance(mask, torch.Tensor) else []
        if self._embeddings:
            if name not in _SMALL_ENCODERS:
                self.encoders = park(pipeline)
            height, width = default_size(pipeline, size)
            height, width = settings.get("height") or height, settings.get("width") or width
            noise = starting_noise(pipeline, range(seed, seed + len(self.prompts)), height, width)
            self._latents = noise.to(
                machine.device, torch.float32 if name in _FLOAT32_LATENTS else machine.dtype
            )
            encoding = ENCODINGS[name]
            scale = {encoding.scale: settings["guidance_scale"]}
            steps = {"num_inference_steps": settings["num_inference_steps"]}
            # The size is said always: pipelines of diffusers do not all know the default of a model that is not
            # square.
            self._settings = {**steps, **scale, **encoding.call, "height": height, "width": width}

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
        longest = max(self._tokens[number] for number in numbers) if self._tokens else None
        index = torch.tensor(list(numbers), device=self._machine.device)
        rows: dict[str, Any] = {
            name: value[index] if isinstance(value, torch.Tensor) else [value[number] for number in numbers]
            for name, value in self._embeddings.items()
        }
        if longest is not None:
            # No more tokens than the pipeline itself would pad these prompts to.
            for name in ("prompt_embeds", "prompt_embeds_mask"):
                padded = self._embeddings[name]
                assert isinstance(padded, torch.Tensor)
                rows[name] = padded[index, :longest]
        return {**arguments, **rows, "latents": self._latents[index]}

    def _generator(self, number: int) -> torch.Generator:
        """Return the source of the noise that a sampler adds on its way."""
        # On the device, since noise of the CPU would make the host wait at every step. Not the stream of the
        # latents, or the sampler would add the very noise that the image starts from.
        return torch.Generator(self._machine.device).manual_seed(self._seed + SAMPLER_STREAM + number)
