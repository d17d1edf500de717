"""`accsearch replay` as a process: where it lets the worker run, and what it refuses."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.cli.program import accsearch
from tests.standin import GIB, StandIn

from accsearch.checkpoint.plan import store_plan
from accsearch.config.load import build_config
from accsearch.grid import expand
from accsearch.result_lines.file import append
from accsearch.result_lines.line import ResultLine
from accsearch.workdir import WorkDir

SHOW = """\
import os, sys
if "accsearch.worker" in sys.orig_argv:
    print(os.environ["CUDA_VISIBLE_DEVICES"], os.environ.get("OMP_NUM_THREADS"), *sys.orig_argv)
    os._exit(int(os.environ.get("FAKE_EXIT", 0)))
"""


class Stored:
    """A work directory with one measured task, whose worker shows what it was started with."""

    def __init__(self, folder: Path, standin: StandIn) -> None:
        (folder / "fake").mkdir()
        (folder / "fake" / "sitecustomize.py").write_text(SHOW)
        config = build_config(
            {
                "name": "c",
                "grid": {"pipe": ["demo"], "sched": ["DDIM"], "steps": [4]},
                "worker": {"env": {"PYTHONPATH": str(folder / "fake")}},
                "methods": {"tome": {"ratio": [0.5]}},
                "gpus": {"samples": 1},
            }
        )
        grid = expand(config)
        self.folder = folder
        self.standin = standin
        self.workdir = WorkDir(folder)
        self.workdir.create("c")
        store_plan(self.workdir, grid, {}, None, folder)
        self.line = ResultLine(
            task="demo_DDIM_4",
            trial="tome-r0.5-d1",
            key="k",
            attempt=1,
            methods={"tome": {"ratio": 0.5, "max_downsample": 1}},
            status="ok",
            num_samples=6,
            batch_size=2,
            gpu=standin.uuid(1),
            gpu_name="NVIDIA H200",
            environment={"threads": 3},
        )

    def add(self, **changes: object) -> None:
        append(self.workdir.task("c", self.line.task).results, replace(self.line, **changes))  # type: ignore[arg-type]


@pytest.fixture
def stored(tmp_path: Path, standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> Stored:
    for name, value in standin.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return Stored(tmp_path, standin)


def replayed(stored: Stored, trial: str = "tome-r0.5-d1") -> list[str]:
    ended = accsearch("replay", "demo_DDIM_4", trial, folder=stored.folder)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.split()


def test_the_lines_own_gpu_threads_and_batch_are_used(stored: Stored) -> None:
    stored.add()

    gpu, threads, *argv = replayed(stored)

    assert (gpu, threads) == (stored.standin.uuid(1), "3")
    given = argv[argv.index("accsearch.worker") + 1 :]
    flags = dict(zip(given[::2], given[1::2], strict=True))
    assert flags["--batch_size"] == "2"
    assert flags["--num_samples"] == "6"
    assert flags["--replay"] == "tome-r0.5-d1"


def test_a_busy_gpu_is_left_alone_for_one_that_is_idle(stored: Stored) -> None:
    stored.add()
    stored.standin.set_gpu(1, utilization=80)

    assert replayed(stored)[0] == stored.standin.uuid(0)


def test_no_idle_gpu_is_said_with_the_reasons(stored: Stored) -> None:
    stored.add()
    stored.standin.set_gpu(0, utilization=80)
    stored.standin.set_gpu(1, used=20 * GIB)

    ended = accsearch("replay", "demo_DDIM_4", "tome-r0.5-d1", folder=stored.folder)

    assert ended.returncode == 3
    assert len(ended.stderr.splitlines()) == 1
    assert "GPU 0: utilisation 80 %" in ended.stderr
    assert "GPU 1: 20.0 GiB in use" in ended.stderr


def test_what_was_measured_without_a_gpu_gets_none(stored: Stored) -> None:
    stored.add(gpu=None, gpu_name=None)

    ended = accsearch("replay", "demo_DDIM_4", "tome-r0.5-d1", folder=stored.folder)

    assert ended.stdout.startswith(" 3 ")
    assert stored.standin.calls().total() == 0


def test_a_worker_that_fails_fails_the_command(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    stored.add()
    monkeypatch.setenv("FAKE_EXIT", "4")

    assert accsearch("replay", "demo_DDIM_4", "tome-r0.5-d1", folder=stored.folder).returncode == 1


@pytest.mark.parametrize(
    ("trial", "says"),
    [
        ("baseline", "baseline has no result to compare with"),
        ("tome-r0.5-d1@short", "has no trial tome-r0.5-d1@short; it has baseline, tome-r0.5-d1"),
    ],
)
def test_what_cannot_be_replayed_is_one_line(stored: Stored, trial: str, says: str) -> None:
    stored.add()
    stored.add(trial="baseline", status="failed")

    ended = accsearch("replay", "demo_DDIM_4", trial, folder=stored.folder)

    assert ended.returncode == 2
    assert says in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
