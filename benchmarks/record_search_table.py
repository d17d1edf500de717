"""Record what an exhaustive search of one cell would see, so that search strategies can be replayed on it.

python benchmarks/record_search_table.py --steps 20 --device cuda --dtype float16 -o search-20.jsonl

Every configuration of DeepCache, T-GATE, ToMe and their combinations in `GRID` is run on the embedded pipeline
(DDIM, guidance 4) over all 320 captions, in an order shuffled by a fixed seed, so that a table cut short is a random
part of the whole. The first line describes the machine; each further line is one configuration:

- `methods`, `trial`: the configuration and its id; the first one is the baseline, `{}`;
- `scores`: the score of each caption's image, in the captions' order;
- `seconds`: of each batch of `batch_size` images, after one that is not counted;
- `baseline_seconds`: of one batch of the plain pipeline, timed just before them;
- `calls`: seconds of each call of the denoiser in a further batch, the device synchronised around each call, and
  `calls_seconds`, that whole batch: what the cost of each kind of call can be calibrated from.

A file that exists is continued.
"""

import argparse
import json
import platform
import random
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from subject import add_options, open_subject

from accsearch.result_lines.versions import installed_versions
from accsearch.worker.batches import generate_batch
from accsearch.worker.images import join
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.measurement import plain_call
from accsearch.worker.methods.compose import apply
from accsearch.worker.stopwatch import timed

CAPTIONS = 320
ORDER_SEED = 20261130
GRID: dict[int, dict[str, Any]] = {
    20: {
        "deepcache": {"cache_interval": [2, 3, 5], "cache_branch_id": [0, 1, 3, 6]},
        "tgate": {"gate_step": [5, 8, 14], "sp_interval": [1, 3], "warm_up": [2]},
        "tome": {"ratio": [0.5], "max_downsample": [1, 2]},
    },
    50: {
        "deepcache": {"cache_interval": [2, 3, 5], "cache_branch_id": [0, 1, 3, 6]},
        "tgate": {"gate_step": [10, 20, 35], "sp_interval": [1, 3], "warm_up": [2]},
        "tome": {"ratio": [0.5], "max_downsample": [1, 2]},
    },
}
"""The `methods` section by the number of steps: 272 configurations besides the baseline."""


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser)
    parser.set_defaults(steps=20, batch_size=CAPTIONS)
    parser.add_argument("--timed_batch", type=int, default=160, help="images of a timed batch")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args(argv)
    recorded = _recorded(options.output)
    with open_subject(options, GRID[options.steps]) as loaded, options.output.open("a") as out:
        trials = list(loaded.assignment.task.trials)
        rest = trials[1:]
        random.Random(ORDER_SEED).shuffle(rest)
        if not recorded:
            _write(out, _header(loaded, options, len(trials)))
        for _ in range(3):
            _plain_seconds(loaded, options.timed_batch)
        for trial in [trials[0], *rest]:
            if trial.id not in recorded:
                _write(out, {"trial": trial.id, **_measure(loaded, trial.methods, options.timed_batch)})
    return 0


def _measure(loaded: LoadedTask, methods: Any, batch: int) -> dict[str, Any]:
    """Return the facts of one configuration, see the module's docstring."""
    plain = _plain_seconds(loaded, batch)
    with apply(loaded.pipeline, methods, seed=0) as applied:
        run = partial(applied, **loaded.workload.arguments(range(batch)))
        calls, whole = _call_seconds(loaded, run)
        count = len(loaded.workload.batches(batch))
        batches = [generate_batch(loaded, applied, number, batch) for number in range(count)]
    scores = loaded.scorer.scores(join([each.images for each in batches]), loaded.texts)
    return {
        "methods": {name: dict(parameters) for name, parameters in methods.items()},
        "seconds": [round(each.seconds, 6) for each in batches],
        "baseline_seconds": round(plain, 6),
        "calls": [round(seconds, 6) for seconds in calls],
        "calls_seconds": round(whole, 6),
        "scores": [round(score, 4) for score in scores],
    }


def _plain_seconds(loaded: LoadedTask, batch: int) -> float:
    return timed(loaded.machine, partial(plain_call, loaded, **loaded.workload.arguments(range(batch))))[1]


def _call_seconds(loaded: LoadedTask, run: Any) -> tuple[list[float], float]:
    """Return the seconds of each denoiser call of one batch, and of the whole batch."""
    denoiser, begun, taken = loaded.pipeline.unet, [0.0], []

    def before(*_: Any) -> None:
        loaded.machine.synchronize()
        begun[0] = time.perf_counter()

    def after(*_: Any) -> None:
        loaded.machine.synchronize()
        taken.append(time.perf_counter() - begun[0])

    hooks = [denoiser.register_forward_pre_hook(before), denoiser.register_forward_hook(after)]
    try:
        whole = timed(loaded.machine, run)[1]
    finally:
        for hook in hooks:
            hook.remove()
    return taken, whole


def _header(loaded: LoadedTask, options: argparse.Namespace, trials: int) -> dict[str, Any]:
    gpu = torch.cuda.get_device_name() if loaded.machine.is_cuda else None
    return {
        "recorded": time.strftime("%Y-%m-%d"),
        "command": f"benchmarks/record_search_table.py {' '.join(sys.argv[1:])}",
        "gpu": gpu,
        "machine": platform.machine(),
        "dtype": options.dtype,
        "sched": options.sched,
        "steps": options.steps,
        "batch_size": options.timed_batch,
        "captions": CAPTIONS,
        "trials": trials,
        "versions": dict(installed_versions()),
    }


def _recorded(path: Path) -> set[str]:
    """Return the ids of the configurations that a file already holds."""
    return {line["trial"] for line in _lines(path) if "trial" in line}


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        yield from map(json.loads, path.read_text().splitlines())


def _write(out: Any, line: dict[str, Any]) -> None:
    out.write(json.dumps(line) + "\n")
    out.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
