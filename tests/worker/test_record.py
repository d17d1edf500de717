"""From a measurement to a line: what only a GPU gives, on numbers made up for it."""

import re
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.worker.runs import Run

from accsearch.grid.setting import Setting
from accsearch.task import Trial
from accsearch.worker.arguments import parse
from accsearch.worker.assignment import assignment_of
from accsearch.worker.baseline import Baseline
from accsearch.worker.baseline_times import BaselineTimes, Timed
from accsearch.worker.busy_shares import with_busy_share
from accsearch.worker.images import collect
from accsearch.worker.machine import choose_machine
from accsearch.worker.measurement import Measured, Paired
from accsearch.worker.monitor import Conditions
from accsearch.worker.paired_times import Speedup
from accsearch.worker.record import Recorder, git_state
from accsearch.worker.stopwatch import Times


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


def runs_of(*seconds: float) -> tuple[Timed, ...]:
    return tuple(Timed(number, each) for number, each in enumerate(seconds))


def made_up(**changes: Any) -> Measured:
    """Return a measurement of three prompts in batches of two, made up but for `changes`."""
    given = {
        "images": collect([torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(1))], 3),
        "scores": [30.0, 31.0, 32.0],
        "runs": runs_of(2.0),
        "set_up_seconds": 0.0,
        "set_up_bytes": None,
        "peak_bytes": None,
        "power_watts": None,
        "utilization": None,
        "conditions": Conditions(),
    }
    return Measured(**(given | changes))


METHODS = {"tome": {"ratio": 0.5, "max_downsample": 1}}
TRIAL = Trial("tome-r0.5-d1", METHODS)


def test_figures_are_those_of_an_independent_computation(tmp_path: Path, tiny_paths: dict[str, Path]) -> None:
    seconds, scores, plain_scores = (2.0, 2.6, 2.2, 9.0), [30.0, 28.5, 31.0], [31.0, 30.0, 31.5]
    plain_seconds = (4.0, 5.0, 4.4, 18.0)
    plain = made_up(scores=plain_scores, images=collect([torch.rand(3, 3, 16, 16)], 3))
    baseline = Baseline(plain.images, plain.scores, BaselineTimes(runs_of(*plain_seconds)))

    line = recorder(Run(tmp_path, tiny_paths)).trial(
        TRIAL, made_up(runs=runs_of(*seconds), scores=scores), baseline
    )

    each = np.array(seconds) / 2
    assert line.timing == "batches"
    assert line.times == pytest.approx(each)
    assert line.seconds_per_image == pytest.approx(np.median(each))
    assert line.seconds_per_image_std == pytest.approx(np.std(each, ddof=1))
    assert line.images_per_second == pytest.approx(2 / np.median(seconds))
    assert line.clip_score == pytest.approx(np.mean(scores))
    assert line.clip_score_std == pytest.approx(np.std(scores, ddof=1))
    speedup = np.exp(np.mean(np.log(plain_seconds) - np.log(seconds)))
    assert line.speedup == pytest.approx(speedup)
    loss = 1 - np.sum(scores) / np.sum(plain_scores)
    assert line.score_loss == pytest.approx(loss)
    assert line.efficiency == pytest.approx(speedup / (1 + loss))
    assert line.environment["baseline_seconds"] == pytest.approx(np.array(plain_seconds) / 2)


def test_precise_times_replace_those_of_the_batches_and_nothing_else(
    tmp_path: Path, tiny_paths: dict[str, Path]
) -> None:
    plain = made_up(images=collect([torch.rand(3, 3, 16, 16)], 3))
    baseline = Baseline(plain.images, plain.scores, BaselineTimes(runs_of(4.0, 4.0)))
    record = recorder(Run(tmp_path, tiny_paths))
    conditions = Conditions(frozenset({4711}), 1500.0, ("hw_thermal_slowdown",), 0.5)
    rough = record.trial(TRIAL, made_up(runs=runs_of(2.0, 2.0), conditions=conditions), baseline)
    rough = with_busy_share(rough, 1.5)
    times = Times((3.0, 3.0), (6.0, 6.0), Speedup(2.0, (1.9, 2.1)))

    line = record.paired(rough, Paired(times, Conditions()), baseline)

    assert (line.timing, line.speedup, line.speedup_ci95) == ("pairs", 2.0, (1.9, 2.1))
    # What the profiler said of the rough times says nothing of these.
    assert (rough.gpu_busy, line.gpu_busy, line.host_bound) == (0.75, None, None)
    assert (line.times, line.seconds_per_image) == ((1.5, 1.5), 1.5)
    assert line.environment["baseline_seconds"] == (3.0, 3.0)
    assert line.baseline_drift == pytest.approx(1.5)
    assert "4711" in str(rough.note)
    assert str(line.note).startswith("the baseline was 1.5 times slower")
    assert (line.scores, line.psnr, line.images_sha256, line.key) == (
        (rough.scores, rough.psnr, rough.images_sha256, rough.key)
    )


def test_a_single_repeat_has_no_deviation(tmp_path: Path, tiny_paths: dict[str, Path]) -> None:
    line = recorder(Run(tmp_path, tiny_paths)).baseline(made_up(), BaselineTimes(runs_of(2.0)))

    assert (line.seconds_per_image, line.seconds_per_image_std, line.images_per_second) == (1.0, None, 1.0)


WORKER_KEYS = sorted(
    name.removeprefix("worker.")
    for each in fields(Setting)
    if (name := each.metadata["digest"] or "").startswith("worker.")
    and each.name not in ("kind", "device", "stability")
)


# What kind it is goes without saying, the device is known by its GPU, and stability has lines of its own.
@pytest.mark.parametrize("name", WORKER_KEYS)
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
    plain = recorder(Run(tmp_path, tiny_paths)).baseline(made_up(), BaselineTimes(runs_of(*seconds)))

    line = with_busy_share(plain, kernel_seconds=1.0)

    assert (plain.gpu_busy, plain.host_bound) == (None, None)
    assert line.gpu_busy == busy
    assert line.host_bound is host_bound
