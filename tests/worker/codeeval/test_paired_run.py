"""Paired runs with a real sandboxed file and a baseline that paints instead of computing."""

import random
import textwrap
from collections.abc import Sequence
from typing import Any

import pytest
import torch

from accsearch.codeeval.evaluation import Evaluation
from accsearch.sandbox.client import ReadableModels, Refused, open_client
from accsearch.sandbox.levels import choose
from accsearch.sandbox.rules import Limits
from accsearch.worker.codeeval.image_distance import psnr
from accsearch.worker.codeeval.inputs import EvaluationInputs
from accsearch.worker.codeeval.paired_run import PairedRun
from accsearch.worker.codeeval.validity import check_validity, slowed

SECONDS_A_STEP = 0.01
STEPS = 20

# Paints areas that depend on prompt and seed, nearer to the full image the more steps there are.
PAINT = """
import random, sys, time, types
from PIL import Image

def paint(prompt, seed, steps, seconds):
    time.sleep(seconds * steps)
    layers = [random.Random(key).randbytes(16 * 16 * 3) for key in (prompt, f"{prompt}/{seed}", f"{seed}/fault")]
    fault = 0.1 * min(1, 4 / steps)
    areas = bytes(int(0.5 * a + 0.4 * b + fault * c) for a, b, c in zip(*layers))
    return Image.frombytes("RGB", (16, 16), areas).resize((64, 64), Image.NEAREST)

def noisy(image, amplitude):
    source = random.Random(image.tobytes())
    return Image.frombytes("RGB", image.size, bytes(
        min(255, max(0, each + source.randint(-amplitude, amplitude))) for each in image.tobytes()))
"""
# The program hands a generator over where the file uses torch, whose import takes long.
TORCH = """
class Generator:
    def __init__(self, device):
        self.seed = None
    def manual_seed(self, seed):
        self.seed = seed
        return self
sys.modules["torch"] = types.SimpleNamespace(Generator=Generator, manual_seed=lambda seed: None)
"""
PAINTING: dict[str, Any] = {}
exec(PAINT, PAINTING)  # noqa: S102 - both sides paint with the same code


class PaintingBaseline:
    steps = STEPS

    def image(self, prompt: str, seed: int, steps: int | None = None) -> Any:
        return PAINTING["paint"](prompt, seed, steps or STEPS, SECONDS_A_STEP)


class Brightness:
    """A scorer: the mean of the pixels."""

    def texts(self, prompts: Sequence[str]) -> torch.Tensor:
        return torch.zeros(len(prompts), 1)

    def scores(self, images: Any, texts: torch.Tensor) -> list[float]:
        return [float(each.float().mean()) for each in images.pixels]


def paired_with(source: str, repeats: int = 2, images: int = 2, methods: Sequence[str] = ()) -> Evaluation:
    """Return the evaluation of a file whose `pipe` paints; raises Refused."""
    program = PAINT + TORCH + textwrap.dedent(source)
    with open_client(
        program.encode(), choose("auto"), Limits(wall_seconds=60), ReadableModels({})
    ) as sandboxed:
        sandboxed.ask("load", timeout=30)
        inputs = EvaluationInputs(["a cat", "a dog", "a tree", "a house"], Brightness(), random.Random(1))
        baseline: Any = PaintingBaseline()
        paired = PairedRun(baseline, sandboxed, inputs)
        paired.run(repeats, images)
    check_validity(paired)
    nothing = Evaluation(file="x", verdict="invalid", isolation="auto")
    configuration = {**nothing.configuration, "acceleration_methods": list(methods)}
    return paired.result(Evaluation("x", "invalid", "auto", configuration=configuration))


HONEST = """
    def pipe(prompt, num_inference_steps, generator):
        return paint(prompt, generator.seed, num_inference_steps, 0.005)
"""


def test_a_file_that_computes_each_image_is_ok() -> None:
    # Sleeping half as long, it is faster on a busy machine too, but by how much may stay open.
    found = paired_with(HONEST)
    assert found.verdict in ("ok", "unresolved")
    assert found.speedup is not None and found.speedup > 1
    assert found.speedup_ci95 is not None
    low, high = found.speedup_ci95
    assert 0 < low < high
    assert found.baseline_score is not None and found.accelerated_score is not None
    assert len(found.seeds) == len(set(found.seeds)) == 4
    assert len(found.baseline_times) == len(found.accelerated_times) == 2


def test_one_image_of_each_side_gives_no_interval() -> None:
    found = paired_with(HONEST, repeats=1, images=1)
    assert found.speedup_ci95 is None
    assert found.relative_quality_loss_ci95 is None
    assert found.verdict == "unresolved"
    assert found.error == "one pair of images gives no interval: take more --repeats"


def test_the_loss_has_an_interval() -> None:
    found = paired_with(HONEST)
    # Both sides paint the very same images.
    assert (found.relative_quality_loss, found.relative_quality_loss_ci95) == (0, (0, 0))


def test_methods_that_change_no_more_than_rounding_are_not_active() -> None:
    rounded = """
        def pipe(prompt, num_inference_steps, generator):
            image = paint(prompt, generator.seed, num_inference_steps, 0.005)
            return image.point(lambda value: value ^ (value == 40))
    """
    assert paired_with(rounded, methods=["deepcache"]).active is False
    assert paired_with(rounded, methods=["torch_compile"]).active is None
    changed = rounded.replace("value ^ (value == 40)", "value + 2")
    assert paired_with(changed, methods=["deepcache"]).active is True


def test_stored_images_are_caught() -> None:
    with pytest.raises(Refused, match="same image for different prompts and seeds") as found:
        paired_with("""
            stored = {}
            def pipe(prompt, num_inference_steps):
                if "image" not in stored:
                    stored["image"] = paint(prompt, 1, num_inference_steps, 0.01)
                return stored["image"]
        """)
    assert found.value.verdict == "invalid"


def test_a_stored_image_under_noise_is_caught() -> None:
    with pytest.raises(Refused, match="same image for different prompts and seeds"):
        paired_with("""
            stored = paint("a cat", 1, 20, 0)
            def pipe(prompt, num_inference_steps, generator):
                time.sleep(0.05)
                return noisy(Image.blend(stored, paint(prompt, generator.seed, 20, 0), 0.01), 3)
        """)


def test_the_warm_up_counts_among_the_images_that_may_be_stored() -> None:
    with pytest.raises(Refused, match="same image for different prompts and seeds"):
        paired_with(
            """
            made = []
            def pipe(prompt, num_inference_steps, generator):
                made.append(made[0] if len(made) == 1 else paint(prompt, generator.seed, 20, 0.005))
                return made[-1]
            """,
            repeats=1,
            images=1,
        )


@pytest.mark.parametrize(("seed", "images"), [("1", 1), ("generator.seed + 2", 2)])
def test_images_that_do_not_follow_the_seed_are_caught(seed: str, images: int) -> None:
    with pytest.raises(Refused, match="do not follow the seed") as found:
        paired_with(
            f"""
            def pipe(prompt, num_inference_steps, generator):
                return noisy(paint(prompt, {seed}, num_inference_steps, 0.005), 3)
            """,
            images=images,
        )
    assert found.value.verdict == "invalid"


def test_a_time_below_one_step_is_caught() -> None:
    with pytest.raises(Refused, match="less than one of the 20 steps"):
        paired_with("""
            def pipe(prompt, num_inference_steps, generator):
                return paint(prompt, generator.seed, 20, 0.0)
        """)


@pytest.mark.parametrize(("steps", "amplitude"), [(5, 0), (10, 0), (13, 0), (10, 3), (5, 3)])
def test_images_of_fewer_steps_are_caught_under_noise_too(steps: int, amplitude: int) -> None:
    with pytest.raises(Refused, match=f"its images are those of {steps} steps, not of 20"):
        # With so many images the look has the means for every number of steps, whatever the times suggest.
        paired_with(
            f"""
            def pipe(prompt, num_inference_steps, generator):
                return noisy(paint(prompt, generator.seed, {steps}, 0.005), {amplitude})
            """,
            images=4,
        )


def test_fewer_steps_in_the_images_after_the_first_are_caught() -> None:
    with pytest.raises(Refused, match="its images are those of 8 steps"):
        paired_with(
            """
            count = iter(range(100))
            def pipe(prompt, num_inference_steps, generator):
                return paint(prompt, generator.seed, 20 if next(count) < 2 else 8, 0.005)
            """,
            images=4,
        )


def test_an_image_that_is_merely_worse_is_not_one_of_fewer_steps() -> None:
    found = paired_with("""
        def pipe(prompt, num_inference_steps, generator):
            image = paint(prompt, generator.seed, 20, 0.005)
            return Image.blend(image, Image.new("RGB", image.size, (90, 90, 90)), 0.2)
    """)
    assert found.verdict in ("ok", "unresolved")


def test_a_baseline_that_was_slowed_down_is_recognised() -> None:
    assert slowed([2.0, 2.1, 1.9], [1.0, 1.1])
    assert not slowed([1.2, 1.25, 1.3], [1.0, 0.9])
    # One image that is slow or quick is the machine's doing.
    assert not slowed([1.0, 1.0, 9.0], [1.0, 1.0])
    assert slowed([2.0, 2.0, 1.0, 2.0], [1.0, 1.0])
    assert not slowed([2.0, 2.0, 2.0], [1.0, 1.9])


def test_a_file_that_slows_its_baseline_has_failed() -> None:
    class Recovering(PaintingBaseline):
        made = 0

        def image(self, prompt: str, seed: int, steps: int | None = None) -> Any:
            self.made += 1
            return PAINTING["paint"](prompt, seed, steps or STEPS, 0.02 if self.made <= 4 else 0.001)

    with open_client(
        (PAINT + TORCH + textwrap.dedent(HONEST)).encode(), choose("auto"), Limits(), ReadableModels({})
    ) as sandboxed:
        sandboxed.ask("load", timeout=30)
        baseline: Any = Recovering()
        paired = PairedRun(
            baseline, sandboxed, EvaluationInputs(["a cat", "a dog"], Brightness(), random.Random(1))
        )
        paired.run(1, 2)
    with pytest.raises(Refused, match="it slows down what it is compared with") as found:
        check_validity(paired)
    assert found.value.verdict == "failed"
    # Beside other processes that may be their doing.
    assert "and the machine was busy: measure it again" in str(check_validity(paired, "the machine was busy"))


def test_another_size_is_caught() -> None:
    with pytest.raises(Refused, match="its images are 8x8, the baseline's 64x64"):
        paired_with("""
            def pipe(prompt, num_inference_steps):
                return Image.new("RGB", (8, 8))
        """)


def test_images_of_one_colour_are_invalid() -> None:
    with pytest.raises(Refused, match="do not follow the seed"):
        paired_with("""
            shade = iter(range(0, 250, 35))
            def pipe(prompt, num_inference_steps):
                time.sleep(0.1)
                return Image.new("RGB", (64, 64), (next(shade),) * 3)
        """)


def test_an_error_in_the_middle_is_a_failure() -> None:
    with pytest.raises(Refused, match=r"ValueError: enough \(line") as found:
        paired_with("""
            count = iter(range(100))
            def pipe(prompt, num_inference_steps):
                if next(count) == 2:
                    raise ValueError("enough")
                return paint(prompt, 1, num_inference_steps, 0.01)
        """)
    assert found.value.verdict == "failed"


def test_a_crash_in_the_middle_is_a_failure() -> None:
    with pytest.raises(Refused, match="signal 9") as found:
        paired_with("""
            import os
            def pipe(prompt, num_inference_steps):
                os.kill(os.getpid(), 9)
        """)
    assert found.value.verdict == "failed"


def test_psnr_of_equal_images_is_infinite() -> None:
    image = PAINTING["paint"]("a", 1, 1, 0)
    assert psnr(image, image) == float("inf")
    assert psnr(image, PAINTING["paint"]("b", 2, 1, 0)) < 15
