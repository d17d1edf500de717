"""Each built-in pipeline as a task would call it: encoded prompts, the same noise each time, a small size."""

from collections.abc import Mapping
from typing import Any

import torch
from tests.worker.large_families import LARGE

from accsearch.config.known_models import ALIASES, TINY
from accsearch.methods.cell import Cell, Family, guided
from accsearch.methods.combinations import complete
from accsearch.task import Methods, Scalar
from accsearch.worker.machine import choose_machine
from accsearch.worker.methods.calibration import Calibrations
from accsearch.worker.methods.compose import apply
from accsearch.worker.methods.layer_calls import counted
from accsearch.worker.workload import Workload

STEPS = 8
SIDE = {"sd3": 64, "pixart": 64}
FAMILIES = ("flux", "sd3", "pixart", "sana", "qwen")
STRONG: Mapping[str, Mapping[str, Scalar]] = {
    "first_block_cache": {"threshold": "p50"},
    "mag_cache": {"threshold": "p50"},
    "taylorseer": {"interval": 3, "warm_up": 2},
    "pyramid_attention_broadcast": {"start": 0.1},
    "faster_cache": {"start": 0.2},
    "step_cache": {"threshold": "p50"},
    "guidance_cutoff": {"start": 4},
}
"""Settings that act in eight steps."""


class TinyTask:
    """A built-in pipeline with its prompts, as `accsearch` measures it."""

    def __init__(self, family: Family, pipeline: Any, guidance: float | None = None) -> None:
        info = next((each for each in TINY if each.alias == f"tiny-{family}"), ALIASES["Z-Image"])
        scale, side = info.guidance if guidance is None else guidance, SIDE.get(family, 32)
        settings = {"num_inference_steps": STEPS, "guidance_scale": scale, "height": side, "width": side}
        if family in LARGE:
            settings["max_sequence_length"] = 64
        self.pipeline = pipeline
        work = Workload(
            pipeline,
            ["a red cat", "the green house"],
            choose_machine("cpu", "float32"),
            seed=3,
            settings=settings,
            size=side,
        )
        self.arguments = work.arguments([0, 1])
        for name, encoder in work.encoders.items():
            setattr(pipeline, name, encoder)
        self.calibrations = Calibrations()
        self.cell = Cell(
            family=family,
            scheduler="FlowMatchEulerDiscrete",
            steps=STEPS,
            unet_blocks=info.blocks,
            has_guidance=guided(family, scale),
            dtype="float32",
        )
        self.plain = self.draw({})[0]

    def draw(self, methods: Mapping[str, Mapping[str, Scalar]]) -> tuple[torch.Tensor, float]:
        """Return the images with `methods` on the pipeline, and the share of layer calls that ran."""
        with (
            torch.no_grad(),
            apply(self.pipeline, complete(methods), calibrations=self.calibrations) as applied,
        ):
            applied.verify(**self.arguments)
            with counted(applied.denoiser) as counts:
                images = applied(**self.arguments)
        return images, counts.share


def strong(*names: str) -> Methods:
    """Return the methods of these names with the settings of `STRONG`."""
    return complete({name: STRONG[name] for name in names})
