"""One GPU's states, with readings and times from the test and real leases."""

import os
from pathlib import Path

import pytest

from accsearch.config.schema import GpuConfig
from accsearch.gpus.device import Device, DriverLost, GpuLost, Process, Reading
from accsearch.gpus.lease import acquire
from accsearch.gpus.lease_files import lease_file
from accsearch.scheduler.card import HEALTH, RETRY, Card, State
from accsearch.scheduler.gpu_pool import GpuPool

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
def card(probe: FakeProbe, said: list[str], tmp_path: Path) -> Card:
    limits = GpuConfig(samples=2, release_timeout=10.0)
    return Card(DEVICE, probe, limits, tmp_path, said.append)


def ready(card: Card) -> Card:
    card.step(0.0)
    card.step(0.5)
    assert card.state is State.READY
    return card


def test_idle_readings_in_a_row_make_it_ready(card: Card) -> None:
    card.step(0.0)
    assert (card.state, card.due) == (State.TESTING, 0.5)
    card.step(0.5)
    assert card.state is State.READY
    assert card.place().env == {"CUDA_VISIBLE_DEVICES": "GPU-a"}


def test_a_busy_one_is_given_back_at_once_and_tried_again_later(card: Card, probe: FakeProbe) -> None:
    probe.reading = FULL
    card.step(0.0)
    assert (card.state, card.held, card.due) == (State.OUT, False, RETRY)
    assert "20.0 GiB in use" in card.why


def test_a_leased_one_is_not_even_read(card: Card, probe: FakeProbe) -> None:
    lease = acquire("GPU-a")
    assert lease is not None
    card.step(0.0)
    assert (card.state, probe.calls) == (State.OUT, 0)
    assert "leased" in card.why
    lease.close()
    card.step(RETRY)
    assert card.held


def test_it_is_given_up_if_taken_before_the_start(card: Card, probe: FakeProbe, said: list[str]) -> None:
    ready(card)
    probe.reading = FOREIGN
    assert not card.confirm(0.6)
    assert (card.state, card.held) == (State.OUT, False)
    assert "taken by another process" in said[0]


def test_between_own_tasks_it_is_looked_at_once(card: Card, probe: FakeProbe) -> None:
    ready(card).take(1.0)
    before = probe.calls
    assert card.free(2.0) is None
    assert card.confirm(2.0)
    assert probe.calls == before + 1


def test_lingering_memory_is_waited_for_with_growing_pauses(card: Card, probe: FakeProbe) -> None:
    ready(card).take(1.0)
    probe.reading = FULL
    assert card.free(2.0) is None
    pauses, now = [], 2.0
    while card.state is State.RELEASING and now < 6.0:
        pauses.append(card.due - now)
        now = card.due
        card.step(now)
    assert pauses == sorted(pauses)
    probe.reading = IDLE
    card.step(card.due)
    assert card.state is State.READY


def test_memory_that_stays_is_quarantined(card: Card, probe: FakeProbe, said: list[str]) -> None:
    ready(card).take(1.0)
    probe.reading = FULL
    card.free(2.0)
    now = 2.0
    while card.state is State.RELEASING:
        now = card.due
        card.step(now)
    assert (now, card.state, card.held) == (12.0, State.QUARANTINED, False)
    assert "quarantined" in said[-1]
    assert not card.lost
    probe.reading = IDLE
    card.step(card.due)
    assert card.state is State.TESTING


def test_a_loss_at_work_is_noticed_and_excuses_the_task(card: Card, probe: FakeProbe) -> None:
    ready(card).take(1.0)
    probe.reading = None
    card.step(1.0 + HEALTH)
    assert (card.state, card.lost) == (State.QUARANTINED, True)
    # While its worker is being ended it is not tried again.
    card.step(card.due)
    assert card.state is State.QUARANTINED
    assert "GPU is lost" in str(card.free(30.0))
    probe.reading = IDLE
    card.step(card.due)
    assert (card.state, card.lost) == (State.TESTING, False)


def test_a_driver_that_does_not_open_costs_a_gpu_at_work_nothing(card: Card, probe: FakeProbe) -> None:
    ready(card).take(1.0)
    probe.reading, probe.loss = None, DriverLost
    card.step(1.0 + HEALTH)
    assert (card.state, card.lost, card.due) == (State.TAKEN, False, 1.0 + 2 * HEALTH)
    # Nothing more is started on it, though.
    card.free(30.0)
    assert (card.state, card.lost) == (State.QUARANTINED, True)


def test_the_lease_of_a_gpu_at_work_is_kept_young(card: Card) -> None:
    ready(card).take(1.0)
    lease = lease_file("GPU-a")
    os.utime(lease, (1, 1))
    card.step(1.0 + HEALTH)
    assert lease.stat().st_mtime > 1


def test_a_pool_keeps_no_more_than_tasks_want(probe: FakeProbe, tmp_path: Path) -> None:
    devices = [Device(number, f"GPU-{number}", "H200", 140 * GIB) for number in range(4)]
    pool = GpuPool(devices, probe, GpuConfig(samples=1), tmp_path, print)
    pool.step(0.0, 2)
    places = pool.ready()
    assert len(places) == 2
    pool.take(places[0], 0.0)
    pool.step(1.0, 0)
    assert [pool.holds(place) for place in places] == [True, False]
    assert pool.ready() == []
    # Nothing to do but look after the GPU at work.
    assert pool.next_step(1.0) == HEALTH - 1.0


def test_an_idle_pool_wants_no_time(probe: FakeProbe, tmp_path: Path) -> None:
    pool = GpuPool([DEVICE], probe, GpuConfig(), tmp_path, print)
    pool.step(0.0, 0)
    assert pool.next_step(0.0) is None
    assert probe.calls == 0
