"""The idle test and the release of a worker's GPU, on readings given by hand."""

from dataclasses import dataclass, replace

import pytest

from accsearch.gpus.device import ComputeMode, Process, Reading
from accsearch.gpus.idle import IdleTest, ReleaseState, busy, released

GIB = 1 << 30


@dataclass(frozen=True)
class Limits:
    max_utilization: float = 5
    max_used_memory: int = GIB
    min_free_memory: int = 10 * GIB
    samples: int = 3


IDLE = Reading(utilization=0, memory_used=0, memory_free=140 * GIB, memory_total=140 * GIB)
HELD = replace(IDLE, memory_used=20 * GIB, memory_free=120 * GIB, processes=(Process(41, 20 * GIB),))


def verdict(readings: list[Reading], interval: float = 0.5) -> tuple[bool | None, str]:
    test = IdleTest(Limits())
    for number, reading in enumerate(readings):
        test.add(reading, number * interval)
    found = test.verdict()
    return found.idle, found.why


def test_one_idle_reading_is_not_enough() -> None:
    assert verdict([]) == (None, "0 of 3 idle readings so far")
    assert verdict([IDLE]) == (None, "1 of 3 idle readings so far")
    assert verdict([IDLE, IDLE, IDLE]) == (True, "idle")


def test_a_busy_reading_starts_the_count_anew() -> None:
    assert verdict([IDLE, IDLE, HELD])[0] is False
    assert verdict([IDLE, IDLE, HELD, IDLE, IDLE])[0] is None
    assert verdict([IDLE, IDLE, HELD, IDLE, IDLE, IDLE])[0] is True


def test_readings_in_quick_succession_count_once() -> None:
    assert verdict([IDLE] * 10, interval=0.01) == (None, "1 of 3 idle readings so far")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"utilization": 37, "processes": (Process(41, GIB),)}, "utilisation 37 % by pid 41"),
        ({"utilization": 6}, "utilisation 6 %"),
        ({"memory_used": 20 * GIB}, "20.0 GiB in use"),
        ({"memory_free": 9 * GIB}, "only 9.0 GiB free, gpus.min_free_memory asks for 10.0 GiB"),
        (
            {"memory_total": 8 * GIB, "memory_free": 8 * GIB},
            "has 8.0 GiB in total, gpus.min_free_memory asks for 10.0 GiB",
        ),
    ],
)
def test_each_limit_is_named(change: dict[str, object], why: str) -> None:
    assert busy(replace(IDLE, **change), Limits()) == why  # type: ignore[arg-type]


def test_memory_held_at_no_utilisation_is_busy() -> None:
    assert busy(HELD, Limits()) == "20.0 GiB in use by pid 41"


def test_unknown_utilisation_passes() -> None:
    assert busy(replace(IDLE, utilization=None), Limits()) is None


def test_where_memory_is_unknown_the_processes_decide() -> None:
    unknown = replace(IDLE, memory_used=None, memory_free=None, memory_total=None)

    assert busy(unknown, Limits()) is None
    assert busy(replace(unknown, processes=(Process(7, None),)), Limits()) == "in use by pid 7"
    assert busy(replace(unknown, processes=(Process(7, None, graphics=True),)), Limits()) is None


def test_unknown_memory_passes_and_is_said_to_be_unjudged() -> None:
    unknown = replace(IDLE, memory_used=None, memory_free=None, memory_total=None)
    idle, why = verdict([unknown, unknown, unknown])
    assert idle
    assert "min_free_memory cannot be judged" in why


def test_a_prohibited_gpu_is_never_idle() -> None:
    idle, why = verdict([replace(IDLE, compute_mode=ComputeMode.PROHIBITED)] * 3)
    assert idle is False
    assert "Prohibited" in why


def test_an_exclusive_gpu_is_idle_until_a_process_is_on_it() -> None:
    exclusive = replace(IDLE, compute_mode=ComputeMode.EXCLUSIVE)
    # Little memory at no utilisation, which would pass in the default mode.
    held = replace(exclusive, memory_used=GIB // 2, processes=(Process(41, GIB // 2),))
    assert busy(exclusive, Limits()) is None
    assert busy(held, Limits()) == "in compute mode Exclusive Process, in use by pid 41"
    assert busy(replace(held, compute_mode=None), Limits()) is None
    assert busy(replace(held, processes=(Process(41, 0, graphics=True),)), Limits()) is None


def test_limits_themselves_are_still_idle() -> None:
    reading = replace(IDLE, utilization=5, memory_used=GIB, memory_free=10 * GIB)
    assert busy(reading, Limits()) is None


def test_those_with_most_memory_are_named_first() -> None:
    crowd = tuple(Process(pid, pid * GIB) for pid in (1, 2, 3, 4, 5))
    found = busy(replace(IDLE, memory_used=15 * GIB, processes=crowd), Limits(), lambda pid: f"p{pid}")
    assert found == "15.0 GiB in use by p5, p4, p3 and 2 more"


@pytest.mark.parametrize(
    ("reading", "state"),
    [
        (IDLE, ReleaseState.FREE),
        # The average still shows the task that has just ended.
        (replace(IDLE, utilization=99), ReleaseState.FREE),
        (replace(IDLE, memory_used=20 * GIB), ReleaseState.LINGERING),
        (HELD, ReleaseState.LINGERING),
        (replace(IDLE, processes=(Process(99, 0),)), ReleaseState.FOREIGN),
        (replace(HELD, processes=(*HELD.processes, Process(99, 0))), ReleaseState.FOREIGN),
        (replace(IDLE, processes=(Process(99, 0, graphics=True),)), ReleaseState.FREE),
        (replace(IDLE, processes=(Process(5, 0),)), ReleaseState.FREE),
    ],
)
def test_release_of_a_workers_gpu(reading: Reading, state: ReleaseState) -> None:
    # Process 41 was the worker, process 5 was there, and tolerated, before it.
    before = replace(IDLE, processes=(Process(5, 0),))
    assert released(reading, before, {41}, Limits()).state is state
