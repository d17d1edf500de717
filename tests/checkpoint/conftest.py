import os
from dataclasses import dataclass, replace

import pytest

from accsearch.checkpoint.finish import judge
from accsearch.checkpoint.markers import (
    Done,
    Exit,
    Running,
    write_done,
    write_exit,
    write_failed,
    write_running,
)
from accsearch.config.load import build_config
from accsearch.grid import Grid, expand, success_sentinel
from accsearch.grid.setting import reuse_key, setting_of
from accsearch.result_lines.file import append
from accsearch.result_lines.line import ResultLine
from accsearch.task import Task
from accsearch.workdir import TaskPaths, WorkDir

DEAD = 2**22 + 1
"""A pid that no process can have."""


@dataclass(frozen=True)
class Planned:
    """A work directory in which attempts can be made up, as a keeper would leave them."""

    workdir: WorkDir
    grid: Grid

    @property
    def task(self) -> Task:
        return self.grid.tasks[0]

    @property
    def paths(self) -> TaskPaths:
        return self.workdir.task(self.task.config, self.task.id)

    def running(self, attempt=1, **changes) -> Running:
        given = {
            "task": self.task.id,
            "pid": DEAD,
            "create_time": 1.0,
            "keeper_pid": DEAD,
            "keeper_create_time": 1.0,
            "host": os.uname().nodename,
            "attempt": attempt,
            "nonce": f"nonce{attempt}",
            "started_at": "2026-01-01T00:00:00+00:00",
            "gpu": None,
        }
        return Running(**(given | changes))

    def exit(self, attempt=1, code=0, **changes) -> Exit:
        given = {"attempt": attempt, "nonce": f"nonce{attempt}", "exit_code": code, "seconds": 2.5}
        return Exit(**(given | {"finished_at": "2026-01-01T00:00:02+00:00"} | changes))

    def log(self, *lines, sentinel=True):
        said = [*lines, success_sentinel(self.grid.config, self.task)] if sentinel else lines
        self.paths.log.write_text("".join(f"{line}\n" for line in said))

    def measure(self, **changes):
        """Leave a line of each trial, as a worker on a GPU would write it."""
        setting = setting_of(self.grid.config, self.task, batch_size=2, dtype="float16", gpu_model="H200")
        for trial in self.task.trials:
            line = ResultLine(
                task=self.task.id, trial=trial.id, key=reuse_key(setting, trial.methods), attempt=1,
                methods=trial.methods, status="ok", seconds_per_image=1.0, scores=(30.0, 31.0), clip_score=30.5,
                num_samples=2, batch_size=2, dtype="float16", gpu_name="H200",
            )  # fmt: skip
            append(self.paths.results, replace(line, **changes))

    def judge(self, ended=None, running=None):
        running = running or self.running()
        return judge(self.workdir, self.grid.config, self.task, ended or self.exit(), running)

    def finish(self, attempt=1, code=0):
        """Judge an attempt and leave its marker, as a scheduler does."""
        verdict = self.judge(self.exit(attempt, code), self.running(attempt))
        if isinstance(verdict, Done):
            write_done(self.paths.done, verdict)
        else:
            write_failed(self.paths.failed, verdict)
        return verdict

    def start(self, ended=None, **changes):
        write_running(self.paths.running, self.running(**changes))
        if ended is not None:
            write_exit(self.paths.exit, ended)

    def changed(self, **worker):
        """Return a copy after an edit of the configuration's worker section."""
        resolved = self.grid.config.resolved()
        config = type(self.grid.config).from_resolved(resolved | {"worker": resolved["worker"] | worker})
        return Planned(self.workdir, expand(config))


def planned(tmp_path, data) -> Planned:
    made = Planned(WorkDir(tmp_path), expand(build_config(data, name="C")))
    made.workdir.create("C")
    return made


@pytest.fixture
def command(tmp_path):
    worker = {"kind": "command", "command": ["python", "x.py", "{n}"], "success_sentinel": "finished {task}"}
    return planned(tmp_path, {"grid": {"n": ["a", "b"]}, "worker": worker})


@pytest.fixture
def traversal(tmp_path):
    (tmp_path / "prompts.txt").write_text("a red circle\na blue square\n")
    return planned(
        tmp_path,
        {
            "grid": {"pipe": ["demo"], "sched": ["DDIM"], "steps": [10]},
            "worker": {"num_samples": 2},
            "prompts": {"file": str(tmp_path / "prompts.txt")},
            "methods": {"tome": {"ratio": [0.5], "max_downsample": [1]}},
        },
    )
