"""LPIPS and FID say why they are absent."""

from pathlib import Path

import pytest
import torch
from tests.worker.runs import Run

from accsearch.task import WorkerExit
from accsearch.worker.images import Images
from accsearch.worker.quality.loss import loss
from accsearch.worker.quality.optional import distances


def test_without_weights_the_reason_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    images = Images(torch.zeros((2, 3, 8, 8), dtype=torch.uint8))

    measured = distances(images, images)

    assert measured.lpips is None
    assert measured.fid is None
    assert "alexnet" in measured.absent["lpips"]
    assert "inception" in measured.absent["fid"]
    assert str(tmp_path) in measured.absent["fid"]


def test_loss_is_relative_and_paired() -> None:
    baseline = [30.0, 20.0, 25.0, 29.0]

    measured = loss(baseline, [score * 0.98 for score in baseline], 0.05)

    assert measured.value == pytest.approx(0.02)
    # Every prompt loses the same share, so there is nothing left to be unsure of.
    assert measured.interval == pytest.approx((0.02, 0.02))
    assert measured.prompts_needed == 2


def test_a_limit_without_weights_ends_the_task_in_one_line(
    tmp_path: Path,
    tiny_paths: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    run = Run(tmp_path, tiny_paths, search={"max_lpips": 0.1})

    assert run.work() == WorkerExit.CONFIG

    assert "search.max_lpips cannot be held: no alexnet-owt" in "".join(capfd.readouterr())
