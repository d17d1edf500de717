"""Which GPUs are quarantined, by what becomes of their tasks."""

import pytest

from accsearch.scheduler.slots.gpu_health import (
    IN_A_ROW,
    QUARANTINE_FIRST,
    QUARANTINE_LONGEST,
    WINDOW,
    GpuHealth,
)


def history(health: GpuHealth, gpu: str, marks: str, tasks: str = "t") -> None:
    """Let tasks end on a GPU, one a letter: done, failed like a GPU, or by doubtful failure."""
    for number, mark in enumerate(marks):
        task = f"{tasks}{number}"
        if mark == "d":
            health.succeeded(gpu, task)
        else:
            health.failed(gpu, task, "ECC", speaks_of_gpu=mark == "f")


@pytest.mark.parametrize(
    ("marks", "is_out"),
    [
        ("f" * (IN_A_ROW - 1), False),
        ("f" * IN_A_ROW, True),
        ("ddddddfff", True),
        ("fdfdfdf", True),
        ("fddddfddddfdddd", False),
        ("????", False),
        ("?????", True),
        ("????d", False),
    ],
)
def test_a_gpu_that_fails_beside_one_that_does_not(marks: str, is_out: bool) -> None:
    health = GpuHealth(["bad", "good"])
    history(health, "good", "dddd", tasks="g")
    history(health, "bad", marks)
    assert ("bad" in health.faulty(0.0)) is is_out
    assert "good" not in health.faulty(0.0)


def test_one_that_only_just_begins_elsewhere_counts_as_well() -> None:
    health = GpuHealth(["bad", "other"])
    health.started("other", 0.0)
    history(health, "bad", "fff")
    assert health.faulty(1.0).keys() == {"bad"}
    assert "3 of its last 3" in health.faulty(1.0)["bad"]


def test_two_bad_ones_of_four_are_both_out() -> None:
    health = GpuHealth(["a", "b", "c", "d"])
    history(health, "a", "fff", tasks="a")
    history(health, "b", "fff", tasks="b")
    assert health.faulty(0.0).keys() == {"a", "b"}


def test_what_happens_everywhere_is_no_gpus_fault() -> None:
    health = GpuHealth(["a", "b", "c"])
    for gpu in "abc":
        history(health, gpu, "ffff", tasks=gpu)
    assert not health.faulty(0.0)
    assert not health.may_be_spared({"a", "b", "c"}, 0.0)


def test_a_quarantine_ends_when_the_others_turn_out_to_fail_as_well() -> None:
    health = GpuHealth(["a", "b"])
    history(health, "a", "fff", tasks="a")
    assert health.faulty(0.0)
    history(health, "b", "ff", tasks="b")
    assert not health.faulty(1.0)


def test_the_only_one_is_never_out() -> None:
    health = GpuHealth(["a"])
    history(health, "a", "f" * WINDOW)
    assert not health.faulty(0.0)
    assert not health.may_be_spared({"a"}, 0.0)


def test_nor_is_the_only_one_that_answers() -> None:
    health = GpuHealth(["a", "gone"])
    health.lost = ["gone"]
    history(health, "a", "f" * WINDOW)
    assert not health.faulty(0.0)
    assert not health.may_be_spared({"a"}, 0.0)


def test_a_task_that_is_done_elsewhere_makes_a_doubtful_failure_its_gpus() -> None:
    health = GpuHealth(["bad", "good"])
    history(health, "bad", "???")
    assert not health.faulty(0.0)
    for number in range(3):
        health.succeeded("good", f"t{number}")
    assert health.faulty(0.0).keys() == {"bad"}


def test_a_task_that_is_at_fault_itself_is_held_against_no_gpu() -> None:
    health = GpuHealth(["a", "b"])
    history(health, "b", "d", tasks="b")
    history(health, "a", "fff")
    health.forgive("t1")
    assert not health.faulty(0.0)


def test_a_quarantined_gpu_comes_back_for_one_task_that_decides() -> None:
    health = GpuHealth(["bad", "good"])
    history(health, "good", "dddd", tasks="g")
    history(health, "bad", "fff")
    assert health.faulty(0.0)
    assert health.next_change() == QUARANTINE_FIRST
    assert health.faulty(QUARANTINE_FIRST - 1)
    assert not health.faulty(QUARANTINE_FIRST)
    # One more failure, of whatever kind: out for twice as long
    health.failed("bad", "t9", "who knows", speaks_of_gpu=False)
    assert health.faulty(QUARANTINE_FIRST)
    assert health.next_change() == 3 * QUARANTINE_FIRST
    assert not health.faulty(3 * QUARANTINE_FIRST)
    # A success: as good as any other
    health.succeeded("bad", "t9")
    history(health, "bad", "ff")
    assert not health.faulty(3 * QUARANTINE_FIRST)


def test_quarantines_grow_to_a_limit() -> None:
    health = GpuHealth(["bad", "good"])
    history(health, "bad", "fff")
    now, pauses = 0.0, []
    for number in range(8):
        assert health.faulty(now)
        change = health.next_change()
        assert change is not None
        pauses.append(change - now)
        now = change
        assert not health.faulty(now)
        health.failed("bad", f"again{number}", "ECC", speaks_of_gpu=True)
    assert pauses == sorted(pauses)
    assert pauses[-1] == QUARANTINE_LONGEST


def test_the_run_may_go_on_while_another_gpu_is_or_may_be_well() -> None:
    health = GpuHealth(["a", "b", "c"])
    assert health.may_be_spared({"a"}, 0.0)
    assert not health.may_be_spared({"a", "b"}, 0.0)
    # Not yet known
    health.started("c", 0.0)
    assert health.may_be_spared({"a", "b"}, 1.0)
    # Known to fail alike, and then past its start
    assert not health.may_be_spared({"a", "b", "c"}, 1.0)
    assert health.may_be_spared({"a", "b", "c"}, 1000.0)
    health.ended("c")
    assert not health.may_be_spared({"a", "b", "c"}, 1000.0)


def test_without_gpus_there_is_nothing_to_blame() -> None:
    health = GpuHealth()
    health.started(None, 0.0)
    history(health, "", "fff")
    health.ended(None)
    assert not health.faulty(0.0)
    assert not health.may_be_spared(set(), 0.0)
