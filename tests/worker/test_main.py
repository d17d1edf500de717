"""The worker's command line, and how it ends from outside."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tests.worker.runs import Run

from accsearch.task import WorkerExit
from accsearch.worker.main import main


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["--pipe", "SD1.5", "--sched", "DDIM", "--steps", "0"],
        ["--pipe", "SD1.5", "--sched", "DDIM", "--steps", "5", "--workdir", "."],
        ["--pipe", "SD1.5", "--sched", "DDIM", "--steps", "5", "--replay", "baseline"],
        ["--pipe", "SD1.5", "--workdir", ".", "--config", "c", "--task", "SD1.5_DDIM_5"],
        ["--pipe", "SD1.5", "--sched", "DDIM"],
    ],
)
def test_a_wrong_command_line_exits_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)

    assert ended.value.code == 2
    assert "error" in capsys.readouterr().err


@pytest.mark.parametrize(("allowed", "code"), [(True, WorkerExit.OK), (False, WorkerExit.CONFIG)])
def test_the_cpu_stands_in_for_a_gpu_only_where_it_is_allowed(
    allowed: bool,
    code: WorkerExit,
    tmp_path: Path,
    tiny_paths: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    run = Run(tmp_path, tiny_paths, worker={"device": "cuda"}, methods={}, gpus={"allow_cpu": allowed})

    assert run.work() == code


@pytest.mark.parametrize(("pipe", "sched"), [("SD9", "DDIM"), ("demo", "NoSuch")])
def test_an_unknown_model_or_scheduler_is_one_line(
    pipe: str, sched: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    code = main(["--pipe", pipe, "--sched", sched, "--steps", "5"])

    assert code == WorkerExit.CONFIG
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert message.count("\n") == 1


def test_too_few_prompts_are_one_line(
    tmp_path: Path, tiny_paths: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(tmp_path, tiny_paths)
    (tmp_path / "prompts.txt").write_text("one\n")

    assert run.work() == WorkerExit.CONFIG

    assert "3 prompts asked for" in capsys.readouterr().err


def test_a_task_outside_the_plan_is_refused(tmp_path: Path, tiny_paths: dict[str, Path]) -> None:
    run = Run(tmp_path, tiny_paths)
    arguments = run.arguments()
    arguments[arguments.index("--task") + 1] = "tiny_DDIM_5"

    assert main(arguments) == WorkerExit.CONFIG


def test_sigterm_ends_a_worker_and_leaves_whole_lines(tmp_path: Path, tiny_paths: dict[str, Path]) -> None:
    worker = {"repeats": 10_000, "max_repeats": 10_000}
    run = Run(tmp_path, tiny_paths, worker=worker)
    command = [sys.executable, "-m", "accsearch.worker", *run.arguments()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "Inference Original pipeline...\n"

        process.send_signal(signal.SIGTERM)

        assert process.wait(timeout=60) == 143
        assert process.stderr.read() == ""
    assert not run.results.exists() or run.results.read_bytes().endswith(b"\n")
