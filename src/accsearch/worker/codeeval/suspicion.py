"""Speed-ups that are none: stored images, images of fewer steps, times shorter than a step."""

import math
from typing import Any

from accsearch.codeeval.guest import Refused
from accsearch.worker.codeeval.baseline import Baseline
from accsearch.worker.codeeval.duel import Duel

EQUAL, NEARER = 40.0, 15.0
"""PSNR in dB: an image is that of fewer steps if it is so near to it, and so much nearer than to the full one.

DeepCache on simple scenes comes to 46 dB of an image of fewer steps, but to 38 dB of the full one as well.
"""

WORTH_A_LOOK = 1.25
FEWER_TRIED = 4


def suspect(duel: Duel, baseline: Baseline) -> None:
    """Raise Refused if the images or the times of the duel cannot be those of the asked-for computation."""
    theirs = [image.tobytes() for image in duel.theirs]
    ours = {image.tobytes() for image in duel.ours}
    if len(set(theirs)) < len(theirs) and len(ours) == len(duel.ours):
        raise Refused(
            "invalid", "the same image for different prompts and seeds: results are stored, not computed"
        )
    if duel.speedup > baseline.steps:
        raise Refused(
            "invalid",
            f"a speed-up of {duel.speedup:.1f}x: less than one of the {baseline.steps} steps was computed",
        )
    fewer = _fewer_steps(duel, baseline)
    if fewer is not None:
        raise Refused("invalid", f"its images are those of {fewer} steps, not of {baseline.steps}")


def _fewer_steps(duel: Duel, baseline: Baseline) -> int | None:
    """Return the number of steps, below the asked-for one, whose image the first one is."""
    full = psnr(duel.ours[0], duel.theirs[0])
    if duel.speedup < WORTH_A_LOOK or math.isinf(full):
        return None
    # Text encoder and decoder take their time whatever the steps: there are no more than the times say.
    most = min(math.ceil(baseline.steps / duel.speedup), baseline.steps - 1)
    prompt, seed = duel.pairs[0]
    for steps in range(most, max(0, most - FEWER_TRIED), -1):
        try:
            image = baseline.image(prompt, seed, steps)
        except (ValueError, IndexError):
            # Some samplers need a few steps at least.
            continue
        if psnr(image, duel.theirs[0]) >= max(EQUAL, full + NEARER):
            return steps
    return None


def psnr(first: Any, second: Any) -> float:
    """Return the PSNR of two RGB pictures of one size in dB, infinite if they are equal."""
    mine, other = first.tobytes(), second.tobytes()
    error = sum((a - b) ** 2 for a, b in zip(mine, other, strict=True)) / len(mine)
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)
