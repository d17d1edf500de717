"""The slots without GPUs: how many, and the threads that each worker gets."""

import subprocess

import pytest
from tests.busy import bound, busy_core

from accsearch.cores import PASSIVE
from accsearch.cpu_load import LoadMeter
from accsearch.scheduler.slots import cpu_slots as module
from accsearch.scheduler.slots.cpu_slots import CpuSlots

BESIDE_OTHERS = """
from accsearch.scheduler.slots.cpu_slots import CpuSlots
slots = CpuSlots(1)
slots.step(0.0, 1)
print(slots.ready()[0].env["OMP_NUM_THREADS"])
"""


def machine(monkeypatch: pytest.MonkeyPatch, cores: int, others: float | None) -> None:
    """Pretend so many usable cores, of which other processes use some."""
    monkeypatch.setattr(module, "usable_cores", lambda: cores)
    monkeypatch.setattr(LoadMeter, "others_soon", lambda self, at_least: others)


@pytest.mark.parametrize(
    ("cores", "others", "slots", "threads", "sleeps"),
    [
        (8, 0.1, 2, 4, False),
        (8, 3.0, 2, 2, True),
        (8, None, 2, 4, False),
        (2, 1.0, 1, 1, True),
        (2, 1.0, 4, 1, False),
        (16, 15.9, 3, 1, True),
    ],
)
def test_slots_share_the_free_cores(
    cores: int, others: float | None, slots: int, threads: int, sleeps: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(monkeypatch, cores, others)
    cpu_slots = CpuSlots(slots)
    assert not cpu_slots.ready()
    cpu_slots.step(0.0, 5)
    assert len(cpu_slots.ready()) == slots
    for each in cpu_slots.ready():
        assert each.env.items() >= {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}.items()
        assert (each.env.items() >= PASSIVE.items()) == sleeps
        assert each.gpu is None


def test_the_tasks_of_an_earlier_scheduler_are_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, 8, 4.0)
    slots = CpuSlots(2)
    slots.reserve(1)
    slots.step(0.0, 1)
    [each] = slots.ready()
    assert each.env["OMP_NUM_THREADS"] == "4"


@pytest.mark.process
def test_one_slot_beside_a_busy_core_computes_on_the_other() -> None:
    with busy_core():
        ended = subprocess.run(bound(BESIDE_OTHERS), capture_output=True, text=True, check=True)
    assert ended.stdout == "1\n"
