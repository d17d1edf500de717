"""What the fields of a line say of how its measurement was disturbed."""

from dataclasses import replace

import pytest

from accsearch.result_lines.disturbance import busy, disturbances
from accsearch.result_lines.line import ResultLine
from accsearch.task import BASELINE

QUIET = ResultLine(
    task="t",
    trial="tome-r0.5-d1",
    key="k",
    attempt=1,
    methods={"tome": {"ratio": 0.5}},
    status="ok",
    cores_used_by_others=0.05,
    baseline_drift=1.08,
    environment={"cores": 2, "threads": 1},
)


def test_a_quiet_measurement_needs_no_word() -> None:
    assert list(disturbances(QUIET)) == []
    assert list(disturbances(replace(QUIET, cores_used_by_others=None, baseline_drift=None))) == []
    power = replace(QUIET, gpu="GPU-1", throttle_reasons=("sw_power_cap",), cores_used_by_others=1.9)
    assert list(disturbances(power)) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (replace(QUIET, baseline_drift=86.0), "the baseline was 86 times slower than at the attempt's start"),
        (replace(QUIET, baseline_drift=0.5), "the baseline was 2 times faster than at the attempt's start"),
        (
            replace(QUIET, trial=BASELINE, methods={}, baseline_drift=86.0),
            "the baseline's time changed 86-fold within the attempt",
        ),
        (
            replace(QUIET, cores_used_by_others=1.03),
            "the machine was busy: other processes used 1.0 of 2 cores beside 1 thread",
        ),
        (
            replace(
                QUIET,
                gpu="GPU-1",
                throttle_reasons=("hw_thermal_slowdown", "sw_power_cap"),
                sm_clock_mhz=345.2,
            ),
            "the GPU was slowed down: hw_thermal_slowdown, 345 MHz on average",
        ),
    ],
)
def test_what_disturbed_it_is_said(line: ResultLine, said: str) -> None:
    assert list(disturbances(line)) == [said]


def test_one_busy_core_of_many_disturbs_threads_on_all_of_them_alone() -> None:
    assert busy(1.0, 64, 32) is None
    assert busy(1.0, 64, 64) is not None
    assert busy(4.0, 64, 32) is not None
