"""One batch of the prompts, generated as a timed run: the images that are scored are those that were timed."""

import math
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from accsearch.worker.call_timer import counted_blocks, denoiser_of
from accsearch.worker.images import Images, InvalidImages, collect
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.methods.session import Invoke
from accsearch.worker.stopwatch import timed


@dataclass(frozen=True)
class Batch:
    """The images of the prompts with these numbers, on the host, and the seconds that they took.

    `block_calls` is how often blocks of the denoiser were called, None where that was not counted.
    """

    prompts: tuple[int, ...]
    images: Images
    seconds: float
    block_calls: int | None = None


def generate_batch(
    loaded: LoadedTask, invoke: Invoke, number: int, batch_size: int, *, counts_blocks: bool = False
) -> Batch:
    """Generate batch `number` of the prompts; only the call of the pipeline itself is timed.

    With `counts_blocks` the denoiser's blocks have hooks meanwhile, which a compiler would trace. Raises InvalidImages
    where they are not images.
    """
    prompts = loaded.workload.batches(batch_size)[number]
    calls = None
    with ExitStack() as stack:
        if counts_blocks:
            calls = stack.enter_context(counted_blocks(denoiser_of(loaded.pipeline)))
        made, seconds = timed(loaded.machine, partial(invoke, **loaded.workload.arguments(prompts)))
    images = collect([made], len(prompts), first=prompts[0])
    return Batch(tuple(prompts), images, seconds, None if calls is None else calls())


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
