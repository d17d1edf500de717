"""Run the original traversal and accsearch in turn on the same trials, and compare whole wall times.

python benchmarks/against_seed.py --workdir build/against                     the embedded demo pipeline on the CPU
python benchmarks/against_seed.py --workdir /tmp/against --pipe FOLDER --device cuda --dtype float16 \\
    --sched EulerDiscrete --steps 50 --num_samples 32 --sizes 2 12

For each number of trials in `--sizes` (the baseline counts as one), `seed_traversal.py` and `accsearch run` with
`strategy: traversal` search the same trials of DeepCache and ToMe, one process a task, in turn, `--rounds` times; which
goes first alternates. Wall time is that of the whole command. From two sizes or more a line is fitted to the wall
times: its slope is the cost of a further trial, its intercept what is paid once, and both give 12 and 48 trials.

`--bound CONFIG` compares `strategy: upper_bound` over the first task of a configuration with what the original would
take for all of it: its time before the baseline and the baseline's, and the mean wall time of a random `--sample` of
the configurations, times their number. CONFIG's task, its trials' parameters and limits count; pipeline, device,
scheduler, steps and batches are those of this command. Its scorer is `stand_in_scorer.py` with `--stand-in`.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from accsearch.result_lines.file import latest, read
from accsearch.result_lines.line import ResultLine

HERE = Path(__file__).resolve().parent
INTERVALS = [2, 5, 3, 4, 6, 8, 10]
RATIOS = [0.5, 0.3, 0.4, 0.2, 0.1]
SIZES: Mapping[int, tuple[int, int]] = {2: (1, 0), 6: (2, 1), 12: (3, 2), 48: (7, 5)}
"""Trials with the baseline -> how many intervals of DeepCache and ratios of ToMe make them with their combinations."""
FAR = (12, 48)
"""Numbers of trials that the fitted lines are evaluated at."""


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--workdir", type=Path, required=True, help="new folder for configurations and results"
    )
    parser.add_argument("--pipe", default="demo", help="alias or diffusers folder")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--sched", default="DDIM")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--num_samples", type=int, default=16)
    parser.add_argument("--batch_size", type=int, default=4)
    parser.add_argument("--scorer", default="builtin:demo", help="quality.model")
    parser.add_argument("--sizes", type=int, nargs="*", default=[2, 6, 12], choices=SIZES)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument(
        "--bound", type=Path, help="configuration of which upper_bound searches the first task"
    )
    parser.add_argument("--max_score_loss", type=float, help="the limit of --bound, instead of its own")
    parser.add_argument("--sample", type=int, default=12, help="configurations that the original is timed on")
    parser.add_argument("--stand-in", action="store_true", help="--bound is scored by stand_in_scorer.py")
    options = parser.parse_args(argv)
    options.workdir.mkdir(parents=True)
    if options.sizes:
        traversals(options)
    if options.bound is not None:
        upper_bound(options)
    return 0


def traversals(options: argparse.Namespace) -> None:
    """Print the wall times of both on each size, and what the fitted lines say."""
    walls: dict[str, list[tuple[int, float]]] = {"original": [], "accsearch": []}
    print("| trials | round | original s | accsearch s | ratio | measured_share | half-widths % |")
    print("|--:|--:|--:|--:|--:|--:|---|")
    for turn in range(options.rounds):
        for size in options.sizes:
            config = _write(options, f"trials-{size}", _methods(size), {"strategy": "traversal"})
            folder = options.workdir / f"{config.stem}-{turn}"
            ran: dict[str, float] = {}
            for name in ("original", "accsearch") if turn % 2 == 0 else ("accsearch", "original"):
                ran[name] = _original(config) if name == "original" else _accsearch(options, config, folder)
                walls[name].append((size, ran[name]))
            theirs, mine = ran["original"], ran["accsearch"]
            cells = [
                size,
                turn + 1,
                f"{theirs:.1f}",
                f"{mine:.1f}",
                f"{mine / theirs:.2f}",
                f"{_done(folder)['measured_share']:.2f}",
                _half_widths(_lines(folder)),
            ]
            print(f"| {' | '.join(map(str, cells))} |", flush=True)
    if len(set(options.sizes)) < 2:
        return
    fits = {name: _line(points) for name, points in walls.items()}
    for name, (fixed, each) in fits.items():
        print(f"{name}: {fixed:.1f} s once and {each:.2f} s a trial")
    for size in FAR:
        whole = {name: fixed + each * size for name, (fixed, each) in fits.items()}
        ratio = whole["accsearch"] / whole["original"]
        print(
            f"{size} trials: original {whole['original']:.0f} s, accsearch {whole['accsearch']:.0f} s: {ratio:.2f}"
        )


def upper_bound(options: argparse.Namespace) -> None:
    """Print what the search for the upper bound took of the original traversal's time."""
    given = yaml.safe_load(options.bound.read_text())
    search = {**given.get("search", {}), "strategy": "upper_bound"}
    if options.max_score_loss is not None:
        search["max_score_loss"] = [options.max_score_loss]
    config = _write(options, "bound", given["methods"], search, stand_in=options.stand_in)
    out = options.workdir / "sample.jsonl"
    theirs = _original(config, "--sample", str(options.sample), "--lines", str(out))
    folder = options.workdir / "bound-0"
    mine = _accsearch(options, config, folder)
    lines = _lines(folder)
    *trials, _ = map(json.loads, out.read_text().splitlines())
    walls = [trial["wall"] for trial in trials[1:]]
    number = len(lines) - 1
    whole = theirs + (number - len(walls)) * statistics.fmean(walls)
    error = (number - len(walls)) * statistics.stdev(walls) / math.sqrt(len(walls))
    print(
        f"original, {number} configurations by {len(walls)} of them: {whole:.0f} s, standard error {error:.0f} s"
    )
    share = 100 * mine / whole
    print(f"accsearch, upper_bound: {mine:.0f} s, {share:.1f} % of it")
    print(f"measured_share {_done(folder)['measured_share']:.2f}")
    states: dict[str, int] = {}
    for line in lines:
        states[line.status] = states.get(line.status, 0) + 1
    print(f"trials by status: {states}")
    best = [sys.executable, "-m", "accsearch", "best", "--workdir", str(folder)]
    limits = [flag for limit in search.get("max_score_loss", []) for flag in ("--max-loss", str(limit))]
    subprocess.run([*best, *limits], check=True)


def _write(
    options: argparse.Namespace, name: str, methods: Any, search: Any, *, stand_in: bool = False
) -> Path:
    named = options.pipe if options.pipe == "demo" else {"name": "pipe", "model": options.pipe}
    program = {"command": [sys.executable, str(HERE / "stand_in_scorer.py")]}
    config = {
        "name": name,
        "grid": {"pipe": [named], "sched": [options.sched], "steps": [options.steps]},
        "worker": {key: getattr(options, key) for key in ("device", "dtype", "num_samples", "batch_size")},
        "prompts": {"file": "builtin:demo"},
        "quality": program if stand_in else {"model": options.scorer},
        "methods": methods,
        "search": search,
        "gpus": {"allow_cpu": options.device == "cpu", "max_used_memory": "2GiB"},
    }
    path: Path = options.workdir / f"{name}.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def _methods(size: int) -> dict[str, Any]:
    intervals, ratios = SIZES[size]
    methods: dict[str, Any] = {"deepcache": {"cache_interval": INTERVALS[:intervals], "cache_branch_id": [0]}}
    if ratios:
        methods["tome"] = {"ratio": RATIOS[:ratios], "max_downsample": [1]}
    return methods


def _original(config: Path, *arguments: str) -> float:
    return _timed([sys.executable, str(HERE / "seed_traversal.py"), str(config), *arguments])


def _accsearch(options: argparse.Namespace, config: Path, folder: Path) -> float:
    slots = ["--gpus", "0"] if options.device == "cuda" else ["--gpus", "none", "--slots", "1"]
    command = [sys.executable, "-m", "accsearch", "run", str(config), *slots, "--workdir", str(folder)]
    return _timed(command)


def _timed(command: Sequence[str]) -> float:
    start = time.perf_counter()
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    wall = time.perf_counter() - start
    if ended.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {ended.returncode}:\n{ended.stdout[-3000:]}")
    return wall


def _lines(folder: Path) -> list[ResultLine]:
    return list(latest(read(_only(folder.glob("results/*/*.jsonl")))).values())


def _done(folder: Path) -> dict[str, Any]:
    done: dict[str, Any] = json.loads(_only(folder.glob("checkpoints/*/*.done")).read_text())
    return done


def _only(paths: Iterator[Path]) -> Path:
    (path,) = paths
    return path


def _half_widths(lines: Sequence[ResultLine]) -> str:
    """Return the half-widths of the intervals that there are, narrowest and widest, and how many are missing."""
    trials = [line for line in lines if line.methods and line.status == "ok"]
    halves = [
        50 * math.log(line.speedup_ci95[1] / line.speedup_ci95[0]) for line in trials if line.speedup_ci95
    ]
    missing = len(trials) - len(halves)
    return f"{min(halves):.1f} to {max(halves):.1f}, {missing} missing" if halves else "none"


def _line(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Return intercept and slope of the least-squares line."""
    slope, intercept = statistics.linear_regression(
        [size for size, _ in points], [wall for _, wall in points]
    )
    return intercept, slope


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
