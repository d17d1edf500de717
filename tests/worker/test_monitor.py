"""The monitor against the real nvidia-ml-py and the stand-in library."""

import os
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NoReturn

import pytest
from tests.standin import StandIn
from tests.worker.runs import Run

from accsearch.errors import NoGpuError
from accsearch.worker import loaded_task, monitor, run
from accsearch.worker.machine import Machine, choose_machine

# Waits for a word before each of: opening the monitor, watching until something new of each kind was read.
WATCH = """
import sys, time
from accsearch.worker.monitor import open_monitor, processes_on_gpus

others = processes_on_gpus()
print("asked", flush=True)
sys.stdin.readline()
with open_monitor(sys.argv[1], others) as monitor:
    print("open", flush=True)
    sys.stdin.readline()
    with monitor.watching() as seen:
        deadline = time.monotonic() + 30
        with seen.timing():
            while not (seen.power and seen.utilization and seen.strangers) and time.monotonic() < deadline:
                time.sleep(0.01)
    found = seen.conditions()
    clock = (found.sm_clock_mhz, *found.throttle_reasons) if len(sys.argv) > 2 else ()
    print(seen.power[0][1], seen.utilization[0][1], *sorted(seen.strangers), *clock)
"""


def watch(standin: StandIn, *processes: dict[int, int], more: tuple[str, ...] = ()) -> str:
    """Let GPU 0 list `processes` before CUDA starts, when the monitor opens, and while it watches."""
    standin.set_gpu(0, processes=processes[0])
    with subprocess.Popen(
        [sys.executable, "-c", WATCH, standin.uuid(0), *more],
        env=standin.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        for said, listed in zip(("asked", "open"), processes[1:], strict=True):
            assert process.stdout.readline() == f"{said}\n"
            standin.set_gpu(0, processes=listed, power=321_000, utilization=87)
            process.stdin.write("go\n")
            process.stdin.flush()
        return process.stdout.readline()


def test_power_utilisation_and_a_newcomer_are_read(standin: StandIn) -> None:
    own, newcomer = {1: 1 << 20}, {os.getpid(): 1 << 30}

    seen = watch(standin, {}, own, own | newcomer)

    assert seen == f"321.0 87.0 {os.getpid()}\n"


def test_the_clock_and_what_holds_it_down_are_read(standin: StandIn) -> None:
    standin.set_gpu(0, clock=1305, reasons=0x4 | 0x40 | 0x1)

    seen = watch(standin, {}, {}, {os.getpid(): 1 << 30}, more=("clock",))

    assert seen.split()[3:] == ["1305.0", "hw_thermal_slowdown", "sw_power_cap"]


def test_a_clock_that_the_driver_does_not_tell_is_unknown(standin: StandIn) -> None:
    standin.set_gpu(0, clock="unsupported", reasons="unsupported")

    seen = watch(standin, {}, {}, {os.getpid(): 1 << 30}, more=("clock",))

    assert seen.split()[3:] == ["None"]


def test_who_was_there_before_the_worker_is_a_stranger(standin: StandIn) -> None:
    own, older = {1: 1 << 20}, {os.getpid(): 1 << 30}

    seen = watch(standin, older, older | own, older | own)

    assert seen == f"321.0 87.0 {os.getpid()}\n"


def test_who_is_on_the_gpus_is_asked_before_cuda_starts(
    tmp_path: Path, tiny_paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def ask() -> frozenset[int]:
        asked.append("processes")
        return frozenset({4711})

    def choose(*settings: str) -> Machine:
        asked.append("machine")
        return choose_machine(*settings)

    def watched(gpu: str | None, others: frozenset[int]) -> AbstractContextManager[monitor.Monitor]:
        asked.append(f"monitor without {sorted(others)}")
        return monitor.open_monitor(gpu, others)

    monkeypatch.setattr(run, "processes_on_gpus", ask)
    monkeypatch.setattr(run, "choose_machine", choose)
    monkeypatch.setattr(loaded_task, "open_monitor", watched)

    Run(tmp_path, tiny_paths, methods={}).work()

    assert asked == ["processes", "machine", "monitor without [4711]"]


def test_without_a_driver_nobody_is_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> NoReturn:
        raise NoGpuError("no NVIDIA driver on this machine")

    monkeypatch.setattr(monitor, "open_nvml", absent)

    assert monitor.processes_on_gpus() == frozenset()
