from dataclasses import replace

import pytest

from accsearch.checkpoint.finish import judge
from accsearch.checkpoint.markers import Done, Exit, Running, write_done, write_failed
from accsearch.checkpoint.plan import store_plan
from accsearch.config.load import build_config
from accsearch.grid import expand, success_sentinel
from accsearch.grid.setting import reuse_key, setting_of
from accsearch.result_lines.file import append
from accsearch.result_lines.line import ResultLine
from accsearch.task import BASELINE
from accsearch.workdir import WorkDir


@pytest.fixture
def grid(tmp_path):
    (tmp_path / "prompts.txt").write_text("a red circle\na blue square\n")
    return expand(
        build_config(
            {
                "grid": {"pipe": ["demo"], "sched": ["DDIM"], "steps": [10, 20]},
                "worker": {"num_samples": 2, "stability": True, "env": {"MY_TOKEN": "correct-horse-battery"}},
                "prompts": {"file": str(tmp_path / "prompts.txt")},
                "methods": {"tome": {"ratio": [0.5], "max_downsample": [1]}},
            },
            name="C",
        )
    )


@pytest.fixture
def workdir(tmp_path, grid):
    """A work directory whose first task is done and whose second failed."""
    workdir = WorkDir(tmp_path / "work")
    workdir.create("C")
    store_plan(workdir, grid, {}, None, ".")
    first, second = grid.tasks
    setting = setting_of(grid.config, first, batch_size=2, dtype="float16", gpu_model="NVIDIA H200")
    line = ResultLine(
        task=first.id, trial=BASELINE, key=reuse_key(setting, {}), attempt=1, methods={}, status="ok",
        seconds_per_image=1.0, times=(1.0, 1.01), clip_score=30.0, scores=(29.0, 31.0), speedup=1.0, score_loss=0.0,
        score_loss_ci95=(0.0, 0.0), speedup_ci95=(1.0, 1.0), num_samples=2, batch_size=2,
        versions={"torch": "2.13.0"}, environment={"driver": "580.1"}, gpu_name="NVIDIA H200",
        dtype="float16",
    )  # fmt: skip
    path = workdir.task("C", first.id).results
    append(path, line)
    trial = first.trials[1]
    fast = replace(
        line, trial=trial.id, key=reuse_key(setting, trial.methods), methods=trial.methods,
        seconds_per_image=0.5, speedup=2.0, speedup_ci95=(1.9, 2.1), score_loss=0.004,
        score_loss_ci95=(0.001, 0.007), psnr=31.5,
        active=True,
        note="<script>alert(1)</script>",
    )  # fmt: skip
    append(path, fast)
    short = replace(fast, trial=f"{trial.id}@short", condition="short", speedup=1.8)
    append(path, replace(short, key=reuse_key(setting, trial.methods, "short")))
    _end(workdir, grid, first, code=0, said="")
    _end(workdir, grid, second, code=4, said="torch.OutOfMemoryError: <b>2 GiB</b>\n")
    return workdir


def _end(workdir, grid, task, *, code, said):
    paths = workdir.task("C", task.id)
    paths.log.write_text(said or f"{success_sentinel(grid.config, task)}\n")
    running = Running(
        task=task.id, pid=1, create_time=1.0, keeper_pid=1, keeper_create_time=1.0, host="h", attempt=1,
        nonce="n", started_at="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    ended = Exit(attempt=1, nonce="n", exit_code=code, finished_at="2026-01-01T00:00:02+00:00", seconds=2.0)
    verdict = judge(workdir, grid.config, task, ended, running)
    if isinstance(verdict, Done):
        write_done(paths.done, verdict)
    else:
        write_failed(paths.failed, verdict)
