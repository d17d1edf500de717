"""From a measurement to a line: what only a GPU gives, on numbers made up for it."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.worker.runs import Run

from accsearch.grid.digest import MEASUREMENT_KEYS
from accsearch.worker.arguments import parse
from accsearch.worker.assignment import assignment_of
from accsearch.worker.images import collect
from accsearch.worker.machine import choose_machine
from accsearch.worker.measurement import Measured
from accsearch.worker.record import Recorder, git_state


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_git_state_is_that_of_the_packages_own_repository(tmp_path: Path) -> None:
    own, installed = tmp_path / "src", tmp_path / "venv"
    for folder in (own, installed):
        folder.mkdir()
        (folder / "module.py").touch()
    assert git_state(own) is None

    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "src")
    git(tmp_path, "commit", "--quiet", "-m", "first")

    state = git_state(own)
    assert state is not None
    assert re.fullmatch("[0-9a-f]{12}", state)
    assert git_state(installed) is None
    (own / "module.py").write_text("changed\n")
    assert git_state(own) == f"{state}-dirty"


CHANGES: dict[str, Any] = {
    "num_samples": 2,
    "batch_size": 1,
    "seed": 7,
    "dtype": "bfloat16",
    "guidance_scale": 2.0,
    "height": 64,
    "width": 64,
    "repeats": 1,
    "max_repeats": 3,
    "ci_width": 0.5,
    "warmup": 0,
    "env": {"A": "b"},
}


def recorder(run: Run) -> Recorder:
    settings = run.grid.config.worker
    arguments = parse(run.arguments(batch_size=settings.batch_size))
    return Recorder(assignment_of(arguments), choose_machine("cpu", settings.dtype), None)


# What kind it is goes without saying, the device is known by its GPU, and stability has lines of its own.
@pytest.mark.parametrize("name", sorted(set(MEASUREMENT_KEYS) - {"kind", "device", "stability"}))
def test_what_changes_the_digest_changes_the_key(
    tmp_path: Path, tiny_paths: dict[str, Path], name: str
) -> None:
    before = recorder(Run(tmp_path, tiny_paths)).key({})

    assert recorder(Run(tmp_path, tiny_paths, worker={name: CHANGES[name]})).key({}) != before


@pytest.mark.parametrize(
    ("seconds", "busy", "host_bound"),
    [
        ([2.0, 2.0, 2.0], 0.5, True),
        ([2.0, 1.0, 1.0], 1.0, False),
        ([1.25] * 4, 0.8, True),
        ([0.5], 1.0, False),
    ],
)
def test_busy_is_a_share_of_the_times_of_the_same_line(
    tmp_path: Path, tiny_paths: dict[str, Path], seconds: list[float], busy: float, host_bound: bool
) -> None:
    measured = Measured(
        images=collect([torch.rand(3, 3, 8, 8)], 3),
        scores=[30.0, 31.0, 32.0],
        seconds=(2.0, 2.0),
        times=None,
        set_up_seconds=0.0,
        set_up_bytes=None,
        peak_bytes=None,
        kernel_seconds=1.0,
        power_watts=None,
        utilization=None,
        strangers=frozenset(),
    )

    line = recorder(Run(tmp_path, tiny_paths)).baseline(measured, seconds)

    assert line.gpu_busy == busy
    assert line.host_bound is host_bound
