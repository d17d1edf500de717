"""The un-accelerated pipeline of a generated file's configuration, built here and never shown to the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from accsearch.codeeval.readable_models import offline
from accsearch.errors import AccsearchError
from accsearch.sandbox.client import Refused
from accsearch.worker.codeeval.recipe import Recipe
from accsearch.worker.machine import Machine
from accsearch.worker.pipelines import load_pipeline

FAULTS = (
    AccsearchError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What libraries raise of a configuration that does not fit; a GPU out of memory is a RuntimeError."""

ERROR_LENGTH = 300


class PlainPipeline:
    """The pipeline, and how it is called; the same call makes the images of fewer steps."""

    def __init__(self, pipeline: Any, recipe: Recipe, machine: Machine) -> None:
        self.pipeline = pipeline
        self.recipe = recipe
        self._machine = machine

    @property
    def steps(self) -> int:
        return self.recipe.steps

    def image(self, prompt: str, seed: int, steps: int | None = None) -> Any:
        """Return the RGB picture of a prompt and a seed, made in `steps` (default: the recipe's).

        Raises Refused, also where the sampler needs more steps.
        """
        generator = torch.Generator("cpu").manual_seed(seed)
        with _refusing("the baseline makes no image"):
            result = self.pipeline(
                prompt, num_inference_steps=steps or self.steps, generator=generator, **self.recipe.arguments
            )
            self._machine.synchronize()
            return result.images[0].convert("RGB")


def build(recipe: Recipe, machine: Machine) -> PlainPipeline:
    """Load the baseline; nothing is downloaded but models of the registry. Raises Refused."""
    with _refusing("the baseline cannot be built"):
        pipeline = load_pipeline(offline(recipe.model), recipe.scheduler.removesuffix("Scheduler"), machine)
    return PlainPipeline(pipeline, recipe, machine)


@contextmanager
def _refusing(message: str) -> Iterator[None]:
    try:
        yield
    except FAULTS as error:
        text = " ".join(str(error).split())[:ERROR_LENGTH]
        raise Refused("invalid", f"{message}: {text or type(error).__name__}") from error
