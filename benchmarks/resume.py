"""Time and memory of a run on a grid that is already finished: `resume.py [--tasks 10000] [--rounds 5]`.

Makes a work directory in which every task of a command grid is done (markers and 8 KiB logs as a run leaves
them), then measures the audit alone, `accsearch plan` and `accsearch run` as commands, and beside them a bare
scandir with a read of each log's last 4 KiB, which is the least that any check of the logs can cost.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from accsearch.checkpoint.audit import audit
from accsearch.checkpoint.finish import judge
from accsearch.checkpoint.markers import Done, Exit, Running
from accsearch.checkpoint.plan import store_plan
from accsearch.config.load import load_config
from accsearch.grid import Grid, expand, success_sentinel
from accsearch.task import TaskState
from accsearch.workdir import WorkDir, write_json

NAME = "finished"


def main() -> int:
    """Print one line a measurement; return 1 if a task is not accepted as done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="accsearch-resume-") as folder:
        root = Path(folder)
        config = _write_config(root, options.tasks)
        workdir = WorkDir(root)
        _finish_all(workdir, expand(load_config(config)))
        command = [sys.executable, "-m", "accsearch"]
        where = ["--workdir", str(root)]
        help_ = _median(options.rounds, lambda: _command([*command, "--help"]))
        print(f"{options.tasks} finished tasks, median of {options.rounds}")
        print(f"bare scandir + 4 KiB tail   {_median(options.rounds, lambda: _bare(root)):7.3f} s")
        done = 0

        def once() -> None:
            nonlocal done
            records = audit(workdir, expand(load_config(config)))
            done = sum(record.state is TaskState.DONE for record in records)

        print(f"load, expand and audit      {_median(options.rounds, once):7.3f} s")
        print(f"accsearch --help            {help_:7.3f} s")
        for verb in (["plan", "--json"], ["run", "--gpus", "none"]):
            argv = [*command, verb[0], str(config), *verb[1:], *where]
            print(f"accsearch {verb[0]:<17} {_median(options.rounds, partial(_command, argv)):7.3f} s")
            print(f"  peak memory               {_peak(argv) / 2**20:7.0f} MiB")
    print(f"accepted as done            {done:7d}")
    return 0 if done == options.tasks else 1


def _write_config(root: Path, tasks: int) -> Path:
    path = root / f"{NAME}.yaml"
    values = ", ".join(f"t{k:05d}" for k in range(tasks))
    worker = 'worker: {kind: command, command: ["true", "{n}"]}'
    path.write_text(f"grid: {{n: [{values}]}}\n{worker}\n")
    return path


def _finish_all(workdir: WorkDir, grid: Grid) -> None:
    """Leave every task as its run would: the log, the marker by the real judge (not synced), the plan."""
    workdir.create(NAME)
    noise = "".join(f"step {k:4d}: loss 0.0123, all is well\n" for k in range(240))
    for task in grid.tasks:
        paths = workdir.task(NAME, task.id)
        paths.log.write_text(f"{noise}{success_sentinel(grid.config, task)}\n")
        running = Running(
            task=task.id,
            pid=1,
            create_time=1.0,
            keeper_pid=1,
            keeper_create_time=1.0,
            host=os.uname().nodename,
            attempt=1,
            nonce="0" * 32,
            started_at="2026-01-01T00:00:00.000+00:00",
        )
        ended = Exit(
            attempt=1, nonce="0" * 32, finished_at="2026-01-01T00:00:01.000+00:00", exit_code=0, seconds=1.0
        )
        verdict = judge(workdir, grid.config, task, ended, running)
        assert isinstance(verdict, Done)
        write_json(paths.done, asdict(verdict), durable=False)
    store_plan(workdir, grid, {}, None, workdir.root)


def _bare(root: Path) -> None:
    logs = root / "logs" / NAME
    with os.scandir(root / "checkpoints" / NAME) as entries:
        for entry in entries:
            if entry.name.endswith(".done"):
                with (logs / f"{entry.name[:-5]}.log").open("rb", buffering=0) as file:
                    file.seek(-4096, os.SEEK_END)
                    if b"Successfully completed" not in file.read():
                        raise SystemExit(f"{entry.name}: no sentinel")


def _command(argv: list[str]) -> None:
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _peak(argv: list[str]) -> int:
    """Return the most memory that the command held at once, in bytes."""
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss * 1024


def _median(rounds: int, measured: Callable[[], None]) -> float:
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        measured()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


if __name__ == "__main__":
    sys.exit(main())
