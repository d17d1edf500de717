"""`accsearch evaluate` as a process: which GPU its worker gets, and what it says of a run that stopped."""

import json
from pathlib import Path

import pytest
from tests.cli.program import accsearch
from tests.standin import GIB, StandIn

SHOW = """\
import os, sys
if "accsearch.worker.codeeval" in sys.orig_argv:
    from accsearch.gpus.lease import holder
    uuid = os.environ["CUDA_VISIBLE_DEVICES"]
    print(f"pinned to [{uuid}], lease: {holder(uuid) if uuid else None}", file=sys.stderr)
    os._exit(1)
"""


@pytest.fixture
def gpus(tmp_path: Path, standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """Two idle GPUs; the worker says what it was given instead of working."""
    (tmp_path / "sitecustomize.py").write_text(SHOW)
    (tmp_path / "x.py").write_text("pipe = None\n")
    for name, value in standin.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return standin


def shown(folder: Path, *options: str) -> str:
    """Return what the worker of an evaluation said."""
    ended = accsearch("evaluate", "x.py", "--allow-exec", "--isolation", "none", *options, folder=folder)
    assert ended.returncode == 1, ended.stderr
    return ended.stderr


def test_a_file_is_evaluated_on_a_leased_idle_gpu(tmp_path: Path, gpus: StandIn) -> None:
    gpus.set_gpu(0, utilization=80)

    text = shown(tmp_path)

    assert f"pinned to [{gpus.uuid(1)}], lease: leased by" in text


def test_the_gpu_can_be_chosen(tmp_path: Path, gpus: StandIn) -> None:
    assert f"pinned to [{gpus.uuid(1)}]" in shown(tmp_path, "--gpus", "1")


@pytest.mark.parametrize("option", [("--device", "cpu"), ("--gpus", "none")])
def test_the_cpu_can_be_chosen(tmp_path: Path, gpus: StandIn, option: tuple[str, str]) -> None:
    assert "pinned to [], lease: None" in shown(tmp_path, *option)


def test_without_a_driver_the_cpu_serves(
    tmp_path: Path, gpus: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)

    assert "pinned to [], lease: None" in shown(tmp_path)


def test_busy_gpus_are_said_with_the_reasons(tmp_path: Path, gpus: StandIn) -> None:
    gpus.set_gpu(0, utilization=80)
    gpus.set_gpu(1, used=20 * GIB)

    ended = accsearch("evaluate", "x.py", "--allow-exec", folder=tmp_path)

    assert ended.returncode == 3
    assert len(ended.stderr.splitlines()) == 1
    assert "GPU 0: utilisation 80 %" in ended.stderr
    assert "GPU 1: 20.0 GiB in use" in ended.stderr


def test_without_a_driver_a_gpu_that_is_asked_for_is_missed(
    tmp_path: Path, gpus: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)

    ended = accsearch("evaluate", "x.py", "--allow-exec", "--gpus", "0", folder=tmp_path)

    assert ended.returncode == 3
    assert len(ended.stderr.splitlines()) == 1


def test_rates_leave_out_what_is_still_to_be_evaluated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Workers that all fail alike end a run before its last task.
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "sitecustomize.py").write_text(SHOW)
    (tmp_path / "files").mkdir()
    for number in range(8):
        (tmp_path / "files" / f"f{number}.py").write_text("pipe = None\n")

    ended = accsearch(
        *(
            "evaluate",
            "files",
            "--allow-exec",
            "--isolation",
            "none",
            "--gpus",
            "none",
            "--slots",
            "1",
            "--json",
        ),
        folder=tmp_path,
    )

    assert ended.returncode == 1
    found = json.loads(ended.stdout)
    evaluated = found["levels"][-1]["tasks"]
    assert len(found["tasks"]) == 8
    assert 0 < evaluated < 8
    assert f"{8 - evaluated} of 8 tasks are still to be evaluated" in ended.stderr
