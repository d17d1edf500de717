"""One batch of the prompts, generated as a timed run: the images that are scored are those that were timed."""

import math
from dataclasses import dataclass
from functools import partial

from accsearch.worker.images import Images, InvalidImages, collect
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.methods.session import Invoke
from accsearch.worker.stopwatch import timed


@dataclass(frozen=True)
class Batch:
    """The images of the prompts with these numbers, on the host, and the seconds that they took."""

    prompts: tuple[int, ...]
    images: Images
    seconds: float


def generate_batch(loaded: LoadedTask, invoke: Invoke, number: int, batch_size: int) -> Batch:
    """Generate batch `number` of the prompts; only the call of the pipeline itself is timed.

    Raises InvalidImages where they are not images.
    """
    prompts = loaded.workload.batches(batch_size)[number]
    made, seconds = timed(loaded.machine, partial(invoke, **loaded.workload.arguments(prompts)))
    return Batch(tuple(prompts), collect([made], len(prompts), first=prompts[0]), seconds)


def scores_of(loaded: LoadedTask, batch: Batch) -> tuple[float, ...]:
    """Return the score of each image of `batch`, none without a scorer.

    Raises InvalidImages where a score is not a number.
    """
    first, last = batch.prompts[0], batch.prompts[-1]
    texts = loaded.texts[first : last + 1]
    return tuple(finite_scores(loaded.scorer.scores(batch.images, texts), first))


def finite_scores(scores: list[float], first: int = 0) -> list[float]:
    """Return `scores`, those of the prompts from number `first` on; raises InvalidImages if one is not a number."""
    if lost := [str(number) for number, score in enumerate(scores, first) if not math.isfinite(score)]:
        raise InvalidImages(f"the score is not a number for prompt {', '.join(lost)}")
    return scores
