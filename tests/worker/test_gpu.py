"""What only a GPU can show."""

import os
import sys
from pathlib import Path

import pytest
import torch
from tests.faults.forked import write_worker
from tests.worker.runs import Run

from accsearch.keeper.warm import WarmProcess
from accsearch.result_lines.frontier import answers
from accsearch.task import BASELINE, WorkerExit

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
    pytest.mark.filterwarnings("ignore"),
]


def test_a_gpu_run_reports_the_gpu(tmp_path: Path, tiny_paths: dict[str, Path]) -> None:
    run = Run(tmp_path, tiny_paths, worker={"device": "cuda", "dtype": "float16"})

    assert run.work() == WorkerExit.OK

    lines = run.lines()
    answered = {line.trial for line in answers(run.task, lines, run.grid.config.search.max_score_loss)}
    for line in lines.values():
        assert line.gpu is not None
        assert line.gpu.startswith(("GPU-", "MIG-"))
        profiled = line.trial in answered
        assert (line.gpu_busy is not None, line.host_bound is not None) == (profiled, profiled)
        assert 0 < (line.gpu_busy or 1) <= 1
        assert line.peak_memory_bytes is not None
        assert line.peak_memory_bytes > 0
    assert run.lines()[BASELINE].environment["driver"]


# Each compiled trial takes more than a minute and a half, and longer with pytest's capture of torch's messages.
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("mode", ["default", "reduce-overhead"])
def test_a_compiled_method_draws_what_it_draws_eagerly(
    tmp_path: Path, tiny_paths: dict[str, Path], mode: str
) -> None:
    methods = {"deepcache": {"cache_interval": [2]}, "compile": {"mode": [mode]}}
    run = Run(tmp_path, tiny_paths, sched="DPMSolverMultistep", worker={"device": "cuda"}, methods=methods)

    assert run.work() == WorkerExit.OK

    eager, compiled = run.lines()["deepcache-i2-b0"], run.lines()[f"deepcache-i2-b0+compile-{mode}"]
    assert compiled.scores == pytest.approx(eager.scores, abs=1.0)
    assert compiled.set_up_seconds is not None
    assert eager.set_up_seconds is not None
    assert compiled.set_up_seconds > eager.set_up_seconds


def test_a_process_in_which_cuda_was_started_becomes_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = write_worker(tmp_path / "modules", "def main(words): exec(words[0], {})")
    (modules / "started.py").write_text(
        "import os, torch; pid = os.getpid(); one = torch.ones(3, device='cuda')"
    )
    code = "import os, started; print(started.pid == os.getpid(), started.one.sum().item())"
    monkeypatch.chdir(tmp_path)
    job = {
        "imports": ["started"],
        "argv": [sys.executable, "-P", "-m", "accsearch.worker", code],
        "cwd": str(tmp_path),
    }
    found = os.pathsep.join(filter(None, (str(modules), os.environ.get("PYTHONPATH"))))
    env = {**os.environ, "PYTHONPATH": found, "ACCSEARCH_NONCE": "1"}
    warm = WarmProcess()
    with (tmp_path / "log").open("w") as log:
        assert warm.ask(job, env, log.fileno())

    worker = warm.take()

    assert worker is not None
    assert warm.why_none == "CUDA was started in it"
    warm.release()
    assert worker.reap() == 0
    assert (tmp_path / "log").read_text() == "True 3.0\n"
