"""Baseline and generated file in turns, on the same prompts and seeds, timed by this side alone."""

import statistics
import time
from dataclasses import replace
from typing import Any

import torch

from accsearch.codeeval.evaluation import Evaluation
from accsearch.codeeval.guest import Guest, Refused
from accsearch.methods.catalogue import METHODS
from accsearch.worker.codeeval.baseline import Baseline
from accsearch.worker.codeeval.material import Material
from accsearch.worker.images import Images, InvalidImages, collect

LONGEST_IMAGE = 600.0
LARGEST_BODY = 4096 * 4096 * 3


class Duel:
    """Collects times and images of both sides; `pairs` are prompts and seeds in the order of the images."""

    def __init__(self, baseline: Baseline, guest: Guest, material: Material) -> None:
        self._baseline = baseline
        self._guest = guest
        self._material = material
        self.pairs: list[tuple[str, int]] = []
        self.ours: list[Any] = []
        self.theirs: list[Any] = []
        self._times: tuple[list[float], list[float]] = ([], [])

    def run(self, repeats: int, images: int) -> None:
        """Measure `repeats` times; one image of each side beforehand is not counted. Raises Refused."""
        for prompt, seed in self._material.pairs(1):
            self._theirs(prompt, seed, self._ours(prompt, seed)[0])
        for repeat in range(repeats):
            pairs = self._material.pairs(images)
            # Who begins changes, so that a machine that slows down or speeds up favours neither.
            ours = [self._ours(*pair) for pair in pairs] if repeat % 2 == 0 else None
            theirs = [self._theirs(*pair, None) for pair in pairs]
            ours = ours or [self._ours(*pair) for pair in pairs]
            self.pairs += pairs
            self.ours += [image for image, _ in ours]
            self.theirs += [image for image, _ in theirs]
            self._times[0].append(sum(seconds for _, seconds in ours) / images)
            self._times[1].append(sum(seconds for _, seconds in theirs) / images)
        for mine, other in zip(self.ours, self.theirs, strict=True):
            _same_size(mine, other)

    @property
    def speedup(self) -> float:
        """The ratio of the median times."""
        return statistics.median(self._times[0]) / statistics.median(self._times[1])

    def result(self, evaluation: Evaluation) -> Evaluation:
        """Return `evaluation` with what was measured, as `ok`. Raises Refused for images that are none."""
        texts = self._material.scorer.texts([prompt for prompt, _ in self.pairs])
        scores = [
            statistics.fmean(self._material.scorer.scores(_images(side), texts))
            for side in (self.ours, self.theirs)
        ]
        return replace(
            evaluation,
            verdict="ok",
            baseline_time=statistics.median(self._times[0]),
            accelerated_time=statistics.median(self._times[1]),
            baseline_score=scores[0],
            accelerated_score=scores[1],
            speedup=self.speedup,
            relative_quality_loss=(scores[0] - scores[1]) / scores[0] if scores[0] else None,
            active=self._active(evaluation),
            seeds=tuple(seed for _, seed in self.pairs),
            baseline_times=tuple(self._times[0]),
            accelerated_times=tuple(self._times[1]),
        )

    def _active(self, evaluation: Evaluation) -> bool | None:
        written = evaluation.configuration["acceleration_methods"] or []
        if not any(name in METHODS and not METHODS[name].exact for name in written):
            return None
        return any(
            mine.tobytes() != other.tobytes() for mine, other in zip(self.ours, self.theirs, strict=True)
        )

    def _ours(self, prompt: str, seed: int) -> tuple[Any, float]:
        # A file that works on in the background would slow the baseline down: it is held still meanwhile.
        self._guest.pause()
        began = time.perf_counter()
        image = self._baseline.image(prompt, seed)
        image.tobytes()
        seconds = time.perf_counter() - began
        self._guest.resume()
        return image, seconds

    def _theirs(self, prompt: str, seed: int, expected: Any) -> tuple[Any, float]:
        from PIL import Image

        arguments = {"num_inference_steps": self._baseline.steps}
        answer, seconds = self._guest.ask(
            "generate",
            timeout=LONGEST_IMAGE,
            max_body=LARGEST_BODY,
            prompt=prompt,
            seed=seed,
            arguments=arguments,
        )
        width, height = answer.header.get("width"), answer.header.get("height")
        if (
            not isinstance(width, int)
            or not isinstance(height, int)
            or width * height * 3 != len(answer.body)
        ):
            raise Refused("unsafe", "a forged answer: its size is not that of its pixels")
        image = Image.frombytes("RGB", (width, height), answer.body)
        if expected is not None:
            _same_size(expected, image)
        return image, seconds


def _same_size(expected: Any, image: Any) -> None:
    if image.size != expected.size:
        sizes = [f"{width}x{height}" for width, height in (image.size, expected.size)]
        raise Refused("invalid", f"its images are {sizes[0]}, the baseline's {sizes[1]}")


def _images(pictures: list[Any]) -> Images:
    pixels = [
        torch.frombuffer(bytearray(each.tobytes()), dtype=torch.uint8).view(each.height, each.width, 3)
        for each in pictures
    ]
    batch = torch.stack(pixels).permute(0, 3, 1, 2)
    try:
        return collect([batch.float() / 255], len(pictures))
    except InvalidImages as error:
        raise Refused("invalid", str(error)) from None
