"""Time our methods against the published packages', in turn, on one pipeline.

python benchmarks/native_package.py                                 the embedded demo pipeline
python benchmarks/native_package.py --pipe FOLDER --device cuda --dtype float16 --steps 50 --batch_size 4

Each row is how many times faster ours is, with its 95 % interval. Exits with 1 where ours is slower beyond
doubt: the whole interval below 1.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from subject import add_options, open_subject

from accsearch.task import Methods
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.methods.compose import apply
from accsearch.worker.stopwatch import Times, in_turn, timed

WARM_UPS = 2


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser)
    parser.set_defaults(steps=20)
    parser.add_argument(
        "--intervals", type=int, nargs="*", default=[2, 5], help="of DeepCache; none: without it"
    )
    parser.add_argument("--gates", type=int, nargs="*", default=[10], help="of T-GATE")
    parser.add_argument("--ratios", type=float, nargs="*", default=[0.5], help="of ToMe")
    parser.add_argument("--max_downsample", type=int, default=1, help="of ToMe; on SDXL 2 or more")
    parser.add_argument("--only", nargs="*", help="the trials with these ids alone")
    options = parser.parse_args(argv)
    methods: dict[str, Any] = {"implementation": "package"}
    if options.intervals:
        methods["deepcache"] = {"cache_interval": options.intervals}
    if options.gates:
        methods["tgate"] = {"gate_step": options.gates, "sp_interval": [1]}
    if options.ratios:
        methods["tome"] = {"ratio": options.ratios, "max_downsample": [options.max_downsample]}
    slower = []
    with open_subject(options, methods) as loaded:
        print("| trial | package s / native s [95 %] | pairs |\n|---|---|--:|")
        for trial in loaded.assignment.task.trials[1:]:
            if options.only is not None and trial.id not in options.only:
                continue
            times = compare(loaded, trial.methods)
            assert times.speedup.interval is not None
            low, high = times.speedup.interval
            gain = f"{times.speedup.value:.3f} [{low:.3f}, {high:.3f}]"
            print(f"| {trial.id} | {gain} | {len(times.trial)} |", flush=True)
            if high < 1:
                slower.append(trial.id)
    print(f"slower: {', '.join(slower) or 'none'}")
    return 1 if slower else 0


def compare(loaded: LoadedTask, methods: Methods) -> Times:
    """Return the times of ours, as the trial, and of the package's, as the baseline."""
    ours, theirs = (partial(run, loaded, methods, name) for name in ("native", "package"))
    for _ in range(WARM_UPS):
        ours()
        theirs()
    return in_turn(ours, theirs, loaded.assignment.config.worker)


def run(loaded: LoadedTask, methods: Methods, implementation: str) -> float:
    """Return the seconds of one batch; switching the methods on and off is not counted."""
    arguments = loaded.workload.arguments(range(loaded.assignment.batch_size))
    with apply(loaded.pipeline, methods, implementation=implementation, seed=0) as applied:
        return timed(loaded.machine, partial(applied, **arguments))[1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
