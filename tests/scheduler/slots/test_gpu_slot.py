"""One GPU's states, with readings and times from the test and real leases."""

import os
from pathlib import Path

import pytest

from accsearch.config.schema import GpuConfig
from accsearch.gpus.device import Device, DriverLost, GpuLost, Process, Reading
from accsearch.gpus.lease import acquire
from accsearch.gpus.lease_files import lease_file
from accsearch.scheduler.slots.gpu_slot import HEALTH, RETRY, GpuSlot, GpuState
from accsearch.scheduler.slots.gpu_slots import GpuSlots

GIB = 1 << 30
DEVICE = Device(0, "GPU-a", "H200", 140 * GIB)
IDLE = Reading(0, 0, 140 * GIB, 140 * GIB)
FULL = Reading(0, 20 * GIB, 120 * GIB, 140 * GIB)
FOREIGN = Reading(0, 0, 140 * GIB, 140 * GIB, (Process(1, 0),))


class FakeProbe:
    """Answers what the test has set."""

    def __init__(self) -> None:
        self.reading: Reading | None = IDLE
        self.loss: type[GpuLost] = GpuLost
        self.calls = 0

    def read(self, uuid: str) -> Reading:
        self.calls += 1
        if self.reading is None:
            raise self.loss("GPU is lost")
        return self.reading


@pytest.fixture(autouse=True)
def leases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCSEARCH_LEASES", str(tmp_path / "leases"))


@pytest.fixture
def probe() -> FakeProbe:
    return FakeProbe()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def gpu_slot(probe: FakeProbe, said: list[str], tmp_path: Path) -> GpuSlot:
    limits = GpuConfig(samples=2, release_timeout=10.0)
    return GpuSlot(DEVICE, probe, limits, tmp_path, said.append)


def ready(gpu_slot: GpuSlot) -> GpuSlot:
    gpu_slot.step(0.0)
    gpu_slot.step(0.5)
    assert gpu_slot.state is GpuState.READY
    return gpu_slot


def test_idle_readings_in_a_row_make_it_ready(gpu_slot: GpuSlot) -> None:
    gpu_slot.step(0.0)
    assert (gpu_slot.state, gpu_slot.due) == (GpuState.TESTING, 0.5)
    gpu_slot.step(0.5)
    assert gpu_slot.state is GpuState.READY
    assert gpu_slot.gpu == "GPU-a"


def test_a_busy_one_is_given_back_at_once_and_tried_again_later(gpu_slot: GpuSlot, probe: FakeProbe) -> None:
    probe.reading = FULL
    gpu_slot.step(0.0)
    assert (gpu_slot.state, gpu_slot.held, gpu_slot.due) == (GpuState.OUT, False, RETRY)
    assert "20.0 GiB in use" in gpu_slot.why


def test_a_leased_one_is_not_even_read(gpu_slot: GpuSlot, probe: FakeProbe) -> None:
    lease = acquire("GPU-a")
    assert lease is not None
    gpu_slot.step(0.0)
    assert (gpu_slot.state, probe.calls) == (GpuState.OUT, 0)
    assert "leased" in gpu_slot.why
    lease.close()
    gpu_slot.step(RETRY)
    assert gpu_slot.held


def test_it_is_given_up_if_taken_before_the_start(
    gpu_slot: GpuSlot, probe: FakeProbe, said: list[str]
) -> None:
    ready(gpu_slot)
    probe.reading = FOREIGN
    assert not gpu_slot.confirm(0.6)
    assert (gpu_slot.state, gpu_slot.held) == (GpuState.OUT, False)
    assert "taken by another process" in said[0]


def test_between_own_tasks_it_is_looked_at_once(gpu_slot: GpuSlot, probe: FakeProbe) -> None:
    ready(gpu_slot).take(1.0)
    before = probe.calls
    assert gpu_slot.free(2.0) is None
    assert gpu_slot.confirm(2.0)
    assert probe.calls == before + 1


def test_lingering_memory_is_waited_for_with_growing_pauses(gpu_slot: GpuSlot, probe: FakeProbe) -> None:
    ready(gpu_slot).take(1.0)
    probe.reading = FULL
    assert gpu_slot.free(2.0) is None
    pauses, now = [], 2.0
    while gpu_slot.state is GpuState.RELEASING and now < 6.0:
        pauses.append(gpu_slot.due - now)
        now = gpu_slot.due
        gpu_slot.step(now)
    assert pauses == sorted(pauses)
    probe.reading = IDLE
    gpu_slot.step(gpu_slot.due)
    assert gpu_slot.state is GpuState.READY


def test_memory_that_stays_is_quarantined(gpu_slot: GpuSlot, probe: FakeProbe, said: list[str]) -> None:
    ready(gpu_slot).take(1.0)
    probe.reading = FULL
    gpu_slot.free(2.0)
    now = 2.0
    while gpu_slot.state is GpuState.RELEASING:
        now = gpu_slot.due
        gpu_slot.step(now)
    assert (now, gpu_slot.state, gpu_slot.held) == (12.0, GpuState.QUARANTINED, False)
    assert "quarantined" in said[-1]
    assert not gpu_slot.lost
    probe.reading = IDLE
    gpu_slot.step(gpu_slot.due)
    assert gpu_slot.state is GpuState.TESTING


def test_a_loss_at_work_is_noticed_and_excuses_the_task(gpu_slot: GpuSlot, probe: FakeProbe) -> None:
    ready(gpu_slot).take(1.0)
    probe.reading = None
    gpu_slot.step(1.0 + HEALTH)
    assert (gpu_slot.state, gpu_slot.lost) == (GpuState.QUARANTINED, True)
    # While its worker is being ended it is not tried again.
    gpu_slot.step(gpu_slot.due)
    assert gpu_slot.state is GpuState.QUARANTINED
    assert "GPU is lost" in str(gpu_slot.free(30.0))
    probe.reading = IDLE
    gpu_slot.step(gpu_slot.due)
    assert (gpu_slot.state, gpu_slot.lost) == (GpuState.TESTING, False)


def test_a_driver_that_does_not_open_costs_a_gpu_at_work_nothing(gpu_slot: GpuSlot, probe: FakeProbe) -> None:
    ready(gpu_slot).take(1.0)
    probe.reading, probe.loss = None, DriverLost
    gpu_slot.step(1.0 + HEALTH)
    assert (gpu_slot.state, gpu_slot.lost, gpu_slot.due) == (GpuState.TAKEN, False, 1.0 + 2 * HEALTH)
    # Nothing more is started on it, though.
    gpu_slot.free(30.0)
    assert (gpu_slot.state, gpu_slot.lost) == (GpuState.QUARANTINED, True)


def test_the_lease_of_a_gpu_at_work_is_kept_young(gpu_slot: GpuSlot) -> None:
    ready(gpu_slot).take(1.0)
    lease = lease_file("GPU-a")
    os.utime(lease, (1, 1))
    gpu_slot.step(1.0 + HEALTH)
    assert lease.stat().st_mtime > 1


def test_a_run_keeps_no_more_than_tasks_want(probe: FakeProbe, tmp_path: Path) -> None:
    devices = [Device(number, f"GPU-{number}", "H200", 140 * GIB) for number in range(4)]
    slots = GpuSlots(devices, probe, GpuConfig(samples=1), tmp_path, print)
    slots.step(0.0, 2)
    ready_slots = slots.ready()
    assert len(ready_slots) == 2
    ready_slots[0].take(0.0)
    slots.step(1.0, 0)
    assert [slot.held for slot in ready_slots] == [True, False]
    assert slots.ready() == []
    # Nothing to do but look after the GPU at work.
    assert slots.next_step(1.0) == HEALTH - 1.0


def test_idle_gpu_slots_want_no_time(probe: FakeProbe, tmp_path: Path) -> None:
    slots = GpuSlots([DEVICE], probe, GpuConfig(), tmp_path, print)
    slots.step(0.0, 0)
    assert slots.next_step(0.0) is None
    assert probe.calls == 0
