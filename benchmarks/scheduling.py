"""Schedulers side by side in one run: same tasks, same slots, several rounds in turn.

    python benchmarks/scheduling.py [--rounds 3] [--only NAME ...] [--load NAME ...]

Peers are used where they are installed: parallel and task-spooler from the distribution, simple_gpu_scheduler
and gpusched from the package index (PEERS names the folder of their programs).

Prints, for each load and number of slots, the median over rounds of: makespan (first launch to last exit) and the
whole command over the lower bound max(sum/slots, longest); milliseconds a task; CPU time a task; the median gap
between an end and the next start.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loads import Load, equal, grid, longest_first, lower_bound, mixed, noop
from peers import RUNNERS, Runner, Setting

CASES: list[tuple[Load, int]] = [
    (noop(), 4),
    (equal(), 4),
    (equal(), 8),
    (mixed(), 4),
    (mixed(), 8),
    (grid(), 8),
]
SLOW = {"the original script", "gpusched, 0.1 s poll"}
"""They poll: measured once, and not on loads of many short tasks, where they would take minutes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    makespan: float
    whole: float
    cpu: float
    gap: float


def measure(runner: Runner, load: Load, setting: Setting) -> Outcome:
    """Run the load once; raises if a task did not run exactly once."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    runner(load, setting)
    whole = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    rows = [line.split() for line in setting.times.read_text().splitlines()]
    if sorted(row[0] for row in rows) != sorted(load.ids):
        raise RuntimeError(f"{load.name}: {len(rows)} executions of {len(load.ids)} tasks")
    starts, ends = sorted(float(row[1]) for row in rows), sorted(float(row[2]) for row in rows)
    gaps = [start - end for start, end in zip(starts[setting.slots :], ends, strict=False)]
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Outcome(ends[-1] - starts[0], whole, cpu, statistics.median(gaps) if gaps else 0.0)


def rounds(load: Load, slots: int, names: list[str], count: int, task: Path) -> dict[str, list[Outcome]]:
    """Measure each scheduler `count` times, in turn, so that the machine's drift falls on all alike."""
    found: dict[str, list[Outcome]] = {name: [] for name in names}
    for number in range(count):
        for name in names:
            if number > 0 and name in SLOW:
                continue
            with tempfile.TemporaryDirectory() as folder:
                table = Path(folder) / "table"
                table.write_text("".join(f"{key} {value}\n" for key, value in load.milliseconds.items()))
                try:
                    found[name].append(
                        measure(RUNNERS[name], load, Setting(Path(folder), slots, task, table))
                    )
                except FileNotFoundError as absent:
                    print(f"not installed: {name} ({absent})", file=sys.stderr)
    return found


def rows(load: Load, slots: int, found: dict[str, list[Outcome]]) -> Iterator[str]:
    """Yield the rows of one table, in Markdown."""
    bound, ideal, count = lower_bound(load, slots), longest_first(load, slots), len(load.ids)
    yield f"\n### {load.name}, {slots} slots"
    if bound:
        yield f"\nLower bound {bound:.2f} s; longest-first with true times {ideal / bound:.3f} of it.\n"
    else:
        yield ""
    yield "| scheduler | makespan / bound | whole / bound | ms a task | CPU ms a task | median gap, ms |"
    yield "|---|---|---|---|---|---|"
    for name, outcomes in found.items():
        if not outcomes:
            continue
        makespan, whole, cpu, gap = (
            statistics.median(getattr(outcome, field) for outcome in outcomes)
            for field in ("makespan", "whole", "cpu", "gap")
        )
        over = (f"{makespan / bound:.3f}", f"{whole / bound:.3f}") if bound else ("-", "-")
        # A run with known times runs the load twice; only its makespan and gaps are those of the second.
        twice = name == "accsearch, times known"
        rest = ("-", "-") if twice else (f"{1000 * whole / count:.2f}", f"{1000 * cpu / count:.2f}")
        cells = [name, over[0], "-" if twice else over[1], *rest, f"{1000 * gap:.1f}"]
        yield f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=list(RUNNERS), default=list(RUNNERS))
    parser.add_argument("--load", nargs="*", choices=sorted({load.name for load, _ in CASES}))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        task = Path(folder) / "task"
        subprocess.run(["cc", "-O2", "-o", str(task), str(Path(__file__).with_name("task.c"))], check=True)
        for load, slots in CASES:
            if arguments.load and load.name not in arguments.load:
                continue
            brief = len(load.ids) > 100
            names = [name for name in arguments.only if not (brief and name in SLOW)]
            for row in rows(load, slots, rounds(load, slots, names, arguments.rounds, task)):
                print(row, flush=True)


if __name__ == "__main__":
    main()
