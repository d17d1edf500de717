"""Compare the plain pipeline with itself: how often the speed-up's interval holds 1, and how wide it is.

python benchmarks/aa.py                        the embedded demo pipeline, 100 comparisons
python benchmarks/aa.py --pipe FOLDER --device cuda --dtype float16 --comparisons 30 --steps 50 --batch_size 4

Exits with 1 if fewer than 90 % of the intervals hold 1, or their median half-width is over `--width`.
"""

import argparse
import math
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median

from accsearch.config.load import build_config
from accsearch.demo.operators import mend_torchvision
from accsearch.grid import expand
from accsearch.workdir import WorkDir
from accsearch.worker.assignment import Assignment
from accsearch.worker.bench import Bench, open_bench
from accsearch.worker.measurement import plain_call
from accsearch.worker.methods.compose import apply
from accsearch.worker.quiet import hush_loaded
from accsearch.worker.stopwatch import race, warm_up

FEWEST_THAT_HOLD = 0.9


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pipe", default="demo", help="alias or diffusers folder")
    parser.add_argument("--sched", default="DDIM")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--batch_size", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--comparisons", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=6, help="pairs of the pilot")
    parser.add_argument("--max_repeats", type=int, default=30, help="most pairs of a comparison")
    parser.add_argument("--width", type=float, default=0.015, help="largest median half-width")
    options = parser.parse_args(argv)
    mend_torchvision()
    hush_loaded()
    with tempfile.TemporaryDirectory() as folder, open_bench(_assignment(options, Path(folder))) as bench:
        return _judge(_compare(bench, options.comparisons), options.width)


def _assignment(options: argparse.Namespace, folder: Path) -> Assignment:
    named = options.pipe if options.pipe == "demo" else {"name": "pipe", "model": options.pipe}
    worker = ("batch_size", "device", "dtype", "repeats", "max_repeats")
    config = build_config(
        {
            "name": "aa",
            "grid": {"pipe": [named], "sched": [options.sched], "steps": [options.steps]},
            "worker": {"num_samples": options.batch_size, **{key: getattr(options, key) for key in worker}},
            "prompts": {"file": "builtin:demo"},
            "quality": {"model": "builtin:demo"},
            "methods": {},
        }
    )
    task = expand(config).tasks[0]
    paths = WorkDir(folder).task(config.name, task.id)
    return Assignment(config, task, paths, 1, options.batch_size, options.batch_size)


def _compare(bench: Bench, comparisons: int) -> list[tuple[float, float]]:
    settings = bench.assignment.config.worker
    arguments = bench.workload.arguments(range(bench.assignment.batch_size))
    intervals = []
    with apply(bench.pipeline, {}) as applied:
        trial, baseline = partial(applied, **arguments), partial(plain_call, bench, **arguments)
        warm_up(bench.machine, trial, 3)
        for number in range(comparisons):
            times = race(bench.machine, applied, trial, baseline, settings)
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
