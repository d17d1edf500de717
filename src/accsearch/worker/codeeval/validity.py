"""Recognise speed-ups that are not real: stored or drawn images, fewer steps, times shorter than a step."""

import math
import statistics
from collections.abc import Iterator, Sequence

from accsearch.sandbox.client import Refused
from accsearch.worker.codeeval.baseline import PlainPipeline
from accsearch.worker.codeeval.image_distance import coarse, distance, distances, pixels
from accsearch.worker.codeeval.paired_run import ImagePair, PairedRun, timed_image

NEAR_DUPLICATE = 0.1
"""Two images are one if they differ by this share of what the baseline's two differ by.

On the demo pipeline no method, alone or with others, comes under 0.37. `benchmarks/margins.py` measures this and what
follows.
"""

FOLLOWS_SEED = 0.02
"""Least cosine between what another seed changes in the file's images and what it changes in the baseline's.

Measured on the demo pipeline in 12 steps, as means over twelve pairs with DDIM, DPM-Solver and Euler ancestral: ToMe
comes to 0.99, T-GATE from the second step on to 0.72, 0.64 and 0.50, DeepCache with interval 3 to 0.48, 0.27 and 0.16,
all three methods to 0.45, 0.51 and 0.19; stored images come to 0. Where DeepCache computes one step alone (0.05, -0.02,
0.01) nothing of the seed may be left, and then it shows here.
"""

FEWER_STEPS = 0.2
"""An image may be that of fewer steps if its distance to that one is under this share of the one to the full image.

All images that are looked at have to be, since single ones say little. Measured on the demo pipeline with DDIM: of 14
images by DeepCache with interval 2 at most one comes under it for any number of steps (of 20 or 15), to 0.13. Images of
half the steps come to 0 without noise, and under noise of 3 grey levels to 0.07 to 0.57, in the median to 0.34 of 20
and 0.17 of 15 steps: that hides most of them, as the images of all steps are hardly others.
"""

FEWER_STEPS_OF_FEW = 0.03
"""The same where there are fewer images to look at: without noise alone."""

AREAS = 8
"""Width and height of the means compared with images of fewer steps; noise over 64 pixels of the demo hardly counts."""

WORTH_A_LOOK = 1.25
LOOKED_AT = 4
SLOWED = 1.3
LOOKS = 3


def check_validity(paired: PairedRun, busy: str | None = None) -> str | None:
    """Raise Refused if the images or the times of a paired run cannot be those of the computation asked for.

    Return None, or why the times leave it open: where `busy` says that other processes were at work, a slow baseline is
    not the file's fault. Call it when the file's processes are gone, so that neither they nor the wall-clock limit
    interfere.
    """
    baseline = paired.baseline
    if _stored([*paired.warm_up, *paired.image_pairs]):
        raise Refused(
            "invalid", "the same image for different prompts and seeds: results are stored, not computed"
        )
    agreement = seed_agreement(paired.probes)
    if agreement is not None and agreement < FOLLOWS_SEED:
        raise Refused(
            "invalid",
            f"its images do not follow the seed (agreement {agreement:.2f}): they are stored or drawn, not computed",
        )
    if paired.speedup > baseline.steps:
        raise Refused(
            "invalid",
            f"a speed-up of {paired.speedup:.1f}x: less than one of the {baseline.steps} steps was computed",
        )
    fewer = _fewer_steps(paired)
    if fewer is not None:
        raise Refused("invalid", f"its images are those of {fewer} steps, not of {baseline.steps}")
    beside = [pair.our_seconds for pair in paired.image_pairs]
    alone: list[float] = []
    for _ in range(LOOKS):
        alone += [timed_image(baseline, pair.prompt, pair.seed)[1] for pair in paired.image_pairs[:LOOKED_AT]]
        if not slowed(beside, alone):
            return None
    seen = (
        f"the baseline took {statistics.median(beside):.3g} s an image beside it and {max(alone):.3g} s or less "
        "without it"
    )
    if busy is not None:
        return f"{seen}, and {busy}: measure it again on a quieter machine"
    raise Refused("failed", f"{seen}: it slows down what it is compared with")


def slowed(beside: Sequence[float], alone: Sequence[float]) -> bool:
    """Say whether the baseline took longer beside the file than even its slowest image without it.

    A machine that is slow for a while is no fault of the file's: a quarter of the images beside it may be.
    """
    return sorted(beside)[len(beside) // 4] > SLOWED * max(alone)


def seed_agreement(probes: Sequence[tuple[ImagePair, ImagePair]]) -> float | None:
    """Return how a change of the seed shows in the file's images, against the baseline's: 1 alike, 0 unrelated.

    It is the mean cosine of the two differences. Above 0 a pair of images is nearer to the baseline's pair than
    to the same pair exchanged; what a method does to both images alike plays no part. None where no seed changes
    the baseline.
    """
    cosines = []
    for first, second in probes:
        ours = pixels(first.ours) - pixels(second.ours)
        theirs = pixels(first.theirs) - pixels(second.theirs)
        if ours.any():
            # Equal images have no direction, and so none in common.
            cosines.append(float(ours @ theirs / (ours.norm() * theirs.norm()).clamp_min(1e-9)))
    return statistics.fmean(cosines) if cosines else None


def _stored(image_pairs: Sequence[ImagePair]) -> bool:
    """Say whether two of the file's images are nearly one where the baseline's are two."""
    theirs = distances([pair.theirs for pair in image_pairs])
    ours = distances([pair.ours for pair in image_pairs])
    return bool(((theirs < NEAR_DUPLICATE * ours) & (ours > 0)).any())


def _fewer_steps(paired: PairedRun) -> int | None:
    """Return the smaller number of steps in which the file's images were made, None if they are of all steps.

    The fastest image is looked at, and others at random, which the file cannot foresee.
    """
    if paired.speedup < WORTH_A_LOOK:
        return None
    baseline = paired.baseline
    fastest = min(paired.image_pairs, key=lambda pair: pair.their_seconds)
    others = [pair for pair in paired.image_pairs if pair is not fastest]
    looked_at = [fastest, *paired.sample(others, LOOKED_AT - 1)]
    limit = FEWER_STEPS if len(looked_at) == LOOKED_AT else FEWER_STEPS_OF_FEW
    # As many steps as the baseline took in the paired run, so that looking takes no longer than running.
    budget = baseline.steps * len(paired.image_pairs)
    shares = {
        steps: _largest_share(steps, looked_at, baseline, limit)
        for steps in _candidates(baseline.steps, paired.speedup, budget)
    }
    nearest = min(shares, key=lambda steps: shares[steps], default=None)
    return nearest if nearest is not None and shares[nearest] < limit else None


def _candidates(full: int, speedup: float, budget: int) -> Iterator[int]:
    """Yield the numbers of steps that are few enough to see a difference, as long as the budget of steps lasts.

    Those come first that the times suggest if each step took as long as the baseline's.
    """
    suggested = full / speedup
    for steps in sorted(range(1, full * 3 // 4 + 1), key=lambda number: abs(number - suggested)):
        budget -= steps
        if budget < 0:
            return
        yield steps


def _largest_share(
    steps: int, image_pairs: Sequence[ImagePair], baseline: PlainPipeline, limit: float
) -> float:
    """Return the largest ratio of an image's distances to the baseline's of `steps` steps and of all steps.

    It ends at the first ratio beyond `limit`, so that most numbers of steps cost one image.
    """
    largest = 0.0
    for pair in image_pairs:
        try:
            fewer = baseline.image(pair.prompt, pair.seed, steps)
        except Refused:
            # Some samplers need a few steps at least.
            return math.inf
        theirs, full = coarse(pair.theirs, AREAS), coarse(pair.ours, AREAS)
        to_full = distance(theirs, full)
        largest = max(largest, distance(theirs, coarse(fewer, AREAS)) / to_full if to_full else math.inf)
        if largest > limit:
            break
    return largest
