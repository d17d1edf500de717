"""How long an image takes on one core of a processor, which is all that the demo asks for."""

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import torch
from diffusers import DiffusionPipeline

from demo_training.drawing import GUIDANCE, STEPS

TIMED = 5


def seconds_per_image(folder: Path, captions: Sequence[str], batch: int = 1, **call: float) -> float:
    """Return the median over five batches of the CPU time per image, in float32 on one thread, warmed up.

    `call` replaces the steps and the guidance of the first pipeline and may add to them. CPU time rather than wall
    time, so that another program on the same core counts as little as possible.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    arguments = {"num_inference_steps": STEPS, "guidance_scale": GUIDANCE, **call}
    pipeline = DiffusionPipeline.from_pretrained(folder, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    taken = []
    for number in range(TIMED + 1):
        began = time.process_time()
        pipeline(
            prompt=list(captions[number * batch : (number + 1) * batch]),
            generator=torch.Generator().manual_seed(number),
            output_type="pt",
            **arguments,
        )
        taken.append((time.process_time() - began) / batch)
    torch.set_num_threads(threads)
    return median(taken[1:])
