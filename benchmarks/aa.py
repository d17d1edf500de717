"""Compare the plain pipeline with itself: how often the speed-up's interval holds 1, and how wide it is.

Both ways in which the worker times a trial are judged: batches, each generated once and compared with the baseline's
of some time ago, and pairs of runs in turn.

python benchmarks/aa.py                        the embedded demo pipeline, 100 comparisons in each way
python benchmarks/aa.py --timing batches       one of them
python benchmarks/aa.py --pipe FOLDER --device cuda --dtype float16 --steps 50 --batch_size 4 \\
    --comparisons 30 --width 0.01

Exits with 1 if fewer than 90 % of the intervals of a way hold 1, if they are wide beyond need (their median half-width
over three times that of 95 % of the speed-ups found, whatever the machine), if the median half-width of pairs is over
`--width`, or if the images of two runs differ in a bit.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from functools import partial
from statistics import NormalDist, median, stdev

import torch
from subject import add_options, open_subject

from accsearch.result_lines.line import ResultLine
from accsearch.task import Trial
from accsearch.worker.baseline import Baseline
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.measurement import measure_baseline, measure_trial, plain_call
from accsearch.worker.methods.compose import apply
from accsearch.worker.probing import Probing
from accsearch.worker.record import Recorder
from accsearch.worker.stopwatch import race, warm_up

FEWEST_THAT_HOLD = 0.9
WIDEST = 3
"""How many times as wide as the scatter of the speed-ups the intervals may be."""
Found = tuple[float, float, float]
"""A speed-up and the ends of its interval."""


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser)
    parser.add_argument("--timing", choices=("batches", "pairs"), nargs="+", default=["pairs", "batches"])
    parser.add_argument("--comparisons", type=int, default=100)
    parser.add_argument(
        "--width",
        type=float,
        default=math.inf,
        help="largest median half-width of pairs; depends on the machine",
    )
    parser.add_argument("--batches", type=int, default=8, help="batches of a trial that is timed by them")
    options = parser.parse_args(argv)
    options.num_samples = options.batches * options.batch_size
    code = 0
    with open_subject(options, {}) as loaded:
        for timing in options.timing:
            if timing == "pairs":
                code |= _judge(timing, _in_pairs(loaded, options.comparisons), options.width)
            else:
                code |= _judge(timing, _in_batches(loaded, options.comparisons), math.inf)
        return code | _repeats(loaded)


def _in_batches(loaded: LoadedTask, comparisons: int) -> list[Found]:
    """Return what is found of so many trials that do nothing, as their task's lines would have it."""
    size = loaded.assignment.batch_size
    baseline = Baseline.of(measure_baseline(loaded, size))
    recorder = Recorder(loaded.assignment, loaded.machine, None)
    lines: dict[str, ResultLine] = {}

    def write(line: ResultLine) -> None:
        lines[line.trial] = line
        assert line.speedup_ci95 is not None
        low, high = line.speedup_ci95
        print(f"{line.trial:>3}: {line.speedup:.4f} [{low:.4f}, {high:.4f}]", flush=True)

    probing = Probing(loaded, recorder, baseline, write)
    for number in range(comparisons):
        measured = measure_trial(loaded, {}, size, probing.after_runs)
        line = recorder.trial(Trial(str(number + 1), {}), measured, baseline)
        write(line)
        probing.ran(line, measured)
    probing.end()
    return [
        (line.speedup, *line.speedup_ci95) for line in lines.values() if line.speedup and line.speedup_ci95
    ]


def _in_pairs(loaded: LoadedTask, comparisons: int) -> list[Found]:
    """Return what is found in races of the pipeline with itself."""
    settings = loaded.assignment.config.worker
    arguments = loaded.workload.arguments(range(loaded.assignment.batch_size))
    found = []
    with apply(loaded.pipeline, {}) as applied:
        trial, baseline = partial(applied, **arguments), partial(plain_call, loaded, **arguments)
        warm_up(loaded.machine, trial, 3)
        for number in range(comparisons):
            times = race(loaded.machine, applied, trial, baseline, settings)
            assert times.speedup.interval is not None
            low, high = times.speedup.interval
            found.append((times.speedup.value, low, high))
            print(
                f"{number + 1:3}: {times.speedup.value:.4f} [{low:.4f}, {high:.4f}], {len(times.trial)} pairs",
                flush=True,
            )
    return found


def _judge(timing: str, found: Sequence[Found], width: float) -> int:
    holding = sum(low <= 1 <= high for _, low, high in found)
    half = median(math.log(high / low) / 2 for _, low, high in found)
    scatter = NormalDist().inv_cdf(0.975) * stdev(math.log(value) for value, _, _ in found)
    print(
        f"{timing}: {holding} of {len(found)} intervals hold 1; median half-width {100 * half:.2f} %, "
        f"{half / scatter:.2f} times that of 95 % of the speed-ups found"
    )
    fits = half <= min(width, WIDEST * scatter)
    return 0 if holding >= FEWEST_THAT_HOLD * len(found) and fits else 1


def _repeats(loaded: LoadedTask) -> int:
    numbers = range(loaded.assignment.batch_size)
    with torch.inference_mode():
        first, second = (plain_call(loaded, **loaded.workload.arguments(numbers)) for _ in range(2))
    same = torch.equal(first, second)
    print(f"images of two runs: {'identical' if same else 'different'}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
