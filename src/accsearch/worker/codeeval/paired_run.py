"""Run a generated file and its baseline in turns on the same prompts and seeds, timed outside of the sandbox."""

import math
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from accsearch.codeeval.evaluation import Evaluation, unresolved
from accsearch.cpu_load import LoadMeter
from accsearch.methods.catalogue import METHODS
from accsearch.result_lines.stats import paired_loss_interval
from accsearch.sandbox.client import Refused, SandboxClient
from accsearch.worker.codeeval.baseline import PlainPipeline
from accsearch.worker.codeeval.image_distance import psnr
from accsearch.worker.codeeval.inputs import EvaluationInputs
from accsearch.worker.images import Images, InvalidImages, collect
from accsearch.worker.paired_times import speedup
from accsearch.worker.terminal import progress_bar

LONGEST_IMAGE = 600.0
LARGEST_BODY = 4096 * 4096 * 3
SEED_PROBES = 3
"""How many measured images' prompts are asked once more, with another seed."""

UNCHANGED = 60.0
"""PSNR in dB from which on an image counts as the baseline's own; ToMe of a tenth of the tokens comes to 57
on the demo pipeline."""


@dataclass(frozen=True)
class Answer:
    """An image of a generated file, the seconds it took, and the arguments that it says its own call had."""

    image: Any
    seconds: float
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class ImagePair:
    """One prompt and seed, with the images of both sides and the seconds that each took."""

    prompt: str
    seed: int
    ours: Any
    theirs: Any
    our_seconds: float
    their_seconds: float


class PairedRun:
    """Collects the images and times of the baseline ("ours") and of the generated file ("theirs").

    `image_pairs` are measured, those of `warm_up` are not. Each of `probes` is a measured pair and another one of the
    same prompt from another seed. `others` is how many cores other processes used while the pairs were made.
    """

    def __init__(self, baseline: PlainPipeline, client: SandboxClient, inputs: EvaluationInputs) -> None:
        self.baseline = baseline
        self._client = client
        self._inputs = inputs
        self.warm_up: list[ImagePair] = []
        self.image_pairs: list[ImagePair] = []
        self.probes: list[tuple[ImagePair, ImagePair]] = []
        self.others: float | None = None
        self._times: tuple[list[float], list[float]] = ([], [])

    def run(self, repeats: int, images: int, say: Callable[[str], None] = lambda _: None) -> None:
        """Measure `repeats` times `images` pairs, after one that is not counted; `say` gets lines of progress.

        Raises Refused.
        """
        self.warm_up = self._round(self._inputs.pairs(1), baseline_first=True)
        total = repeats * images
        # The file does not know which prompts are asked again, so it cannot treat those alone correctly.
        probed = set(self._inputs.random.sample(range(total), min(SEED_PROBES, total)))
        load = LoadMeter()
        # Where a person waits for an evaluation, its standard output is the person's terminal.
        with progress_bar(total, "image", sys.stdout) as bar:
            for repeat in range(repeats):
                # The sides take turns to begin, so that a machine that slows down or speeds up favours neither.
                image_pairs = self._round(self._inputs.pairs(images), baseline_first=repeat % 2 == 0)
                self._times[0].append(sum(pair.our_seconds for pair in image_pairs) / images)
                self._times[1].append(sum(pair.their_seconds for pair in image_pairs) / images)
                for number, pair in enumerate(image_pairs, len(self.image_pairs)):
                    if number in probed:
                        [again] = self._round([self._inputs.again(pair.prompt)], baseline_first=True)
                        self.probes.append((pair, again))
                self.image_pairs += image_pairs
                ours, theirs = (times[-1] for times in self._times)
                say(f"repeat {repeat + 1} of {repeats}: baseline {ours:.3g} s an image, file {theirs:.3g} s")
                bar.update(images)
        self.others = load.others()

    def sample(self, image_pairs: Sequence[ImagePair], count: int) -> list[ImagePair]:
        """Return up to `count` of the pairs, chosen so that the file cannot foresee which."""
        return self._inputs.random.sample(list(image_pairs), min(count, len(image_pairs)))

    @property
    def speedup(self) -> float:
        """The ratio of the median times."""
        return statistics.median(self._times[0]) / statistics.median(self._times[1])

    def result(self, evaluation: Evaluation) -> Evaluation:
        """Return `evaluation` with the measured values, as `ok`, or `unresolved` if their intervals are too wide.

        Raises Refused for images that cannot be scored.
        """
        texts = self._inputs.scorer.texts([pair.prompt for pair in self.image_pairs])
        each_score = [
            self._inputs.scorer.scores(_images(side), texts)
            for side in ([pair.ours for pair in self.image_pairs], [pair.theirs for pair in self.image_pairs])
        ]
        scores = [statistics.fmean(each) for each in each_score]
        faster = speedup(self._log_ratios(), len(self.image_pairs), len(self.image_pairs)).interval
        lost = paired_loss_interval(*each_score)
        why = unresolved(faster, lost)
        return replace(
            evaluation,
            verdict="ok" if why is None else "unresolved",
            error=None if why is None else f"{why}: take more --repeats",
            baseline_time=statistics.median(self._times[0]),
            accelerated_time=statistics.median(self._times[1]),
            baseline_score=scores[0],
            accelerated_score=scores[1],
            speedup=self.speedup,
            speedup_ci95=faster,
            relative_quality_loss=(scores[0] - scores[1]) / scores[0] if scores[0] else None,
            relative_quality_loss_ci95=lost,
            active=self._active(evaluation),
            seeds=tuple(pair.seed for pair in self.image_pairs),
            baseline_times=tuple(self._times[0]),
            accelerated_times=tuple(self._times[1]),
        )

    def _log_ratios(self) -> list[float]:
        return [math.log(pair.our_seconds / pair.their_seconds) for pair in self.image_pairs]

    def _active(self, evaluation: Evaluation) -> bool | None:
        written = evaluation.configuration["acceleration_methods"] or []
        if not any(name in METHODS and not METHODS[name].exact for name in written):
            return None
        return any(psnr(pair.ours, pair.theirs) < UNCHANGED for pair in self.image_pairs)

    def _round(self, pairs: Sequence[tuple[str, int]], *, baseline_first: bool) -> list[ImagePair]:
        ours = [self._ours(*pair) for pair in pairs] if baseline_first else []
        theirs = [ask_image(self._client, *pair, steps=self.baseline.steps) for pair in pairs]
        ours = ours or [self._ours(*pair) for pair in pairs]
        image_pairs = []
        for (prompt, seed), (image, seconds), answer in zip(pairs, ours, theirs, strict=True):
            _same_size(image, answer.image)
            image_pairs.append(ImagePair(prompt, seed, image, answer.image, seconds, answer.seconds))
        return image_pairs

    def _ours(self, prompt: str, seed: int) -> tuple[Any, float]:
        # A file that works on in the background would slow the baseline down, so it is paused.
        self._client.pause()
        timed = timed_image(self.baseline, prompt, seed)
        self._client.resume()
        return timed


def timed_image(baseline: PlainPipeline, prompt: str, seed: int) -> tuple[Any, float]:
    """Return an image of the baseline and the seconds that it took. Raises Refused."""
    began = time.perf_counter()
    image = baseline.image(prompt, seed)
    image.tobytes()
    return image, time.perf_counter() - began


def ask_image(client: SandboxClient, prompt: str, seed: int, *, steps: int) -> Answer:
    """Let the file make one image. Raises Refused."""
    from PIL import Image

    frame, seconds = client.ask(
        "generate",
        timeout=LONGEST_IMAGE,
        max_body=LARGEST_BODY,
        prompt=prompt,
        seed=seed,
        arguments={"num_inference_steps": steps},
    )
    width, height = (_length(frame.header.get(name)) for name in ("width", "height"))
    if not width * height or width * height * 3 != len(frame.body):
        raise Refused("unsafe", "a forged answer: its size is not that of its pixels")
    arguments = frame.header.get("arguments")
    image = Image.frombytes("RGB", (width, height), frame.body)
    return Answer(image, seconds, arguments if isinstance(arguments, dict) else {})


def _length(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


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
