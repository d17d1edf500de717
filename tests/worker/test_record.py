"""From a measurement to a line: what only a GPU gives, on numbers made up for it."""

from pathlib import Path

import pytest
import torch
from tests.worker.runs import Run

from accsearch.worker.arguments import parse
from accsearch.worker.assignment import assignment_of
from accsearch.worker.images import collect
from accsearch.worker.machine import choose_machine
from accsearch.worker.measurement import Measured
from accsearch.worker.record import Recorder


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
    run = Run(tmp_path, tiny_paths)
    recorder = Recorder(assignment_of(parse(run.arguments())), choose_machine("cpu", "float32"), None)
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

    line = recorder.baseline(measured, seconds)

    assert line.gpu_busy == busy
    assert line.host_bound is host_bound
