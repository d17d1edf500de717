"""Duels with a real caged file and a baseline that paints instead of computing."""

import random
import textwrap
import time
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from PIL import Image

from accsearch.codeeval.evaluation import Evaluation
from accsearch.codeeval.guest import Models, Refused, guest
from accsearch.codeeval.sandbox.levels import choose
from accsearch.codeeval.sandbox.rules import Limits
from accsearch.worker.codeeval.duel import Duel
from accsearch.worker.codeeval.material import Material
from accsearch.worker.codeeval.suspicion import psnr, suspect

SECONDS_A_STEP = 0.01
STEPS = 20

# Paints an image that depends on prompt, seed and steps, and takes its time over each step.
PAINT = """
import random, time
from PIL import Image
def paint(prompt, seed, steps, seconds):
    noise = random.Random(f"{prompt}/{seed}/{steps}")
    time.sleep(seconds * steps)
    return Image.frombytes("RGB", (16, 16), noise.randbytes(16 * 16 * 3))
"""


def painted(prompt: str, seed: int, steps: int, seconds: float) -> Any:
    noise = random.Random(f"{prompt}/{seed}/{steps}")
    time.sleep(seconds * steps)
    return Image.frombytes("RGB", (16, 16), noise.randbytes(16 * 16 * 3))


class PaintingBaseline:
    steps = STEPS

    def image(self, prompt: str, seed: int, steps: int | None = None) -> Any:
        return painted(prompt, seed, steps or STEPS, SECONDS_A_STEP)


class Brightness:
    """A scorer: the mean of the pixels."""

    def texts(self, prompts: Sequence[str]) -> torch.Tensor:
        return torch.zeros(len(prompts), 1)

    def scores(self, images: Any, texts: torch.Tensor) -> list[float]:
        return [float(each.float().mean()) for each in images.pixels]


def duel_with(source: str, repeats: int = 2, images: int = 2) -> Evaluation:
    """Return the evaluation of a file whose `pipe` gets the seed through `random_seed`; raises Refused."""
    program = PAINT + textwrap.dedent(source)
    with guest(program.encode(), choose("auto"), Limits(wall_seconds=60), Models({})) as caged:
        caged.ask("load", timeout=30)
        material = Material(["a cat", "a dog", "a tree"], Brightness(), random.Random(1))
        baseline: Any = PaintingBaseline()
        duel = Duel(baseline, caged, material)
        duel.run(repeats, images)
        suspect(duel, baseline)
        return duel.result(Evaluation(file="x", verdict="invalid", isolation="auto"))


def test_a_file_that_computes_each_image_is_ok() -> None:
    found = duel_with("""
        count = iter(range(100))
        def pipe(prompt, num_inference_steps):
            return paint(prompt, next(count), num_inference_steps, 0.005)
    """)
    assert found.verdict == "ok"
    assert found.speedup is not None and found.speedup > 1
    assert found.baseline_score is not None and found.accelerated_score is not None
    assert len(found.seeds) == len(set(found.seeds)) == 4
    assert len(found.baseline_times) == len(found.accelerated_times) == 2


def test_stored_images_are_caught() -> None:
    with pytest.raises(Refused, match="same image for different prompts and seeds") as found:
        duel_with("""
            stored = {}
            def pipe(prompt, num_inference_steps):
                if "image" not in stored:
                    stored["image"] = paint(prompt, 1, num_inference_steps, 0.01)
                return stored["image"]
        """)
    assert found.value.verdict == "invalid"


def test_images_stored_by_prompt_are_caught() -> None:
    with pytest.raises(Refused, match="same image"):
        duel_with(
            """
            stored = {}
            def pipe(prompt, num_inference_steps):
                if prompt not in stored:
                    stored[prompt] = paint(prompt, 1, num_inference_steps, 0.01)
                return stored[prompt]
            """,
            repeats=3,
        )


def test_a_time_below_one_step_is_caught() -> None:
    with pytest.raises(Refused, match="less than one of the 20 steps"):
        duel_with("""
            count = iter(range(100))
            def pipe(prompt, num_inference_steps):
                return paint(prompt, next(count), 1, 0.0)
        """)


def test_another_size_is_caught() -> None:
    with pytest.raises(Refused, match="its images are 8x8, the baseline's 16x16"):
        duel_with("""
            def pipe(prompt, num_inference_steps):
                return Image.new("RGB", (8, 8))
        """)


def test_images_of_one_colour_are_invalid() -> None:
    with pytest.raises(Refused, match="constant for prompt"):
        duel_with("""
            shade = iter(range(100))
            def pipe(prompt, num_inference_steps):
                time.sleep(0.1)
                return Image.new("RGB", (16, 16), (next(shade),) * 3)
        """)


def test_an_error_in_the_middle_is_a_failure() -> None:
    with pytest.raises(Refused, match=r"ValueError: enough \(line") as found:
        duel_with("""
            count = iter(range(100))
            def pipe(prompt, num_inference_steps):
                if next(count) == 2:
                    raise ValueError("enough")
                return paint(prompt, 1, num_inference_steps, 0.01)
        """)
    assert found.value.verdict == "failed"


def test_a_crash_in_the_middle_is_a_failure() -> None:
    with pytest.raises(Refused, match="signal 9") as found:
        duel_with("""
            import os
            def pipe(prompt, num_inference_steps):
                os.kill(os.getpid(), 9)
        """)
    assert found.value.verdict == "failed"


def test_psnr_of_equal_images_is_infinite() -> None:
    image = painted("a", 1, 1, 0)
    assert psnr(image, image) == float("inf")
    assert psnr(image, painted("a", 2, 1, 0)) < 12
