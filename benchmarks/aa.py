"""Compare the plain pipeline with itself: how often the speed-up's interval holds 1, and how wide it is.

python benchmarks/aa.py                        the embedded demo pipeline, 100 comparisons
python benchmarks/aa.py --pipe FOLDER --device cuda --dtype float16 --steps 50 --batch_size 4 \\
    --comparisons 30 --width 0.01

Exits with 1 if fewer than 90 % of the intervals hold 1, if their median half-width is over `--width`, or if
the images of two runs differ in a bit.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from functools import partial
from statistics import median

import torch
from subject import add_options, open_subject

from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.measurement import plain_call
from accsearch.worker.methods.compose import apply
from accsearch.worker.stopwatch import race, warm_up

FEWEST_THAT_HOLD = 0.9


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser)
    parser.add_argument("--comparisons", type=int, default=100)
    parser.add_argument("--width", type=float, default=0.015, help="largest median half-width")
    options = parser.parse_args(argv)
    with open_subject(options, {}) as loaded:
        return _judge(_compare(loaded, options.comparisons), options.width) | _repeats(loaded)


def _compare(loaded: LoadedTask, comparisons: int) -> list[tuple[float, float]]:
    settings = loaded.assignment.config.worker
    arguments = loaded.workload.arguments(range(loaded.assignment.batch_size))
    intervals = []
    with apply(loaded.pipeline, {}) as applied:
        trial, baseline = partial(applied, **arguments), partial(plain_call, loaded, **arguments)
        warm_up(loaded.machine, trial, 3)
        for number in range(comparisons):
            times = race(loaded.machine, applied, trial, baseline, settings)
            assert times.speedup.interval is not None
            low, high = times.speedup.interval
            intervals.append((low, high))
            print(
                f"{number + 1:3}: {times.speedup.value:.4f} [{low:.4f}, {high:.4f}], {len(times.trial)} pairs",
                flush=True,
            )
    return intervals


def _judge(intervals: Sequence[tuple[float, float]], width: float) -> int:
    holding = sum(low <= 1 <= high for low, high in intervals)
    half = median(math.log(high / low) / 2 for low, high in intervals)
    print(f"{holding} of {len(intervals)} intervals hold 1; median half-width {100 * half:.2f} %")
    return 0 if holding >= FEWEST_THAT_HOLD * len(intervals) and half <= width else 1


def _repeats(loaded: LoadedTask) -> int:
    numbers = range(loaded.assignment.batch_size)
    with torch.inference_mode():
        first, second = (plain_call(loaded, **loaded.workload.arguments(numbers)) for _ in range(2))
    same = torch.equal(first, second)
    print(f"images of two runs: {'identical' if same else 'different'}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
