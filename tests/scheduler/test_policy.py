"""What follows from failures."""

from typing import Any

import pytest

from accsearch.checkpoint.markers import Failed
from accsearch.scheduler.policy import (
    POLICY,
    UNCOUNTED_LIMIT,
    Doubt,
    Streak,
    Tries,
    is_suspect,
    next_try,
    put_back,
    speaks_of_gpu,
)
from accsearch.task import FailureReason


def outcomes(
    reason: FailureReason, tries: Tries, max_attempts: int = 2, on_oom: str = "halve_batch"
) -> list[Tries]:
    """Return what is used up after each failure for the same reason, until there is no retry."""
    found = []
    again = True
    while again:
        again, tries = next_try(reason, tries, max_attempts=max_attempts, on_oom=on_oom)
        found.append(tries)
    return found


def test_every_reason_has_a_decision() -> None:
    assert POLICY.keys() == set(FailureReason)


def test_a_counted_failure_is_tried_max_attempts_times() -> None:
    assert len(outcomes(FailureReason.ERROR, Tries(), max_attempts=3)) == 3


def test_a_configuration_fault_is_tried_once() -> None:
    assert len(outcomes(FailureReason.CONFIG, Tries(), max_attempts=9)) == 1


def test_out_of_memory_halves_the_batch_down_to_one() -> None:
    batches = [tries.batch_size for tries in outcomes(FailureReason.OOM, Tries(batch_size=8))]
    assert batches == [4, 2, 1, 1, 1]


@pytest.mark.parametrize(("on_oom", "number"), [("same_batch", 2), ("fail", 1)])
def test_out_of_memory_otherwise(on_oom: str, number: int) -> None:
    found = outcomes(FailureReason.OOM, Tries(batch_size=8), on_oom=on_oom)
    assert [tries.batch_size for tries in found] == [8] * number


def test_a_lost_gpu_uses_up_nothing_but_is_bounded() -> None:
    found = outcomes(FailureReason.LOST_GPU, Tries(), max_attempts=1)
    assert len(found) == UNCOUNTED_LIMIT
    assert {tries.counted for tries in found} == {0}


def test_put_back_keeps_what_was_used_up() -> None:
    assert put_back(Tries(1, 0, 4)) == (True, Tries(1, 1, 4))


def test_an_attempt_that_was_cut_off_and_got_further_begins_the_count_anew() -> None:
    assert put_back(Tries(1, UNCOUNTED_LIMIT - 1, 4), progressed=True) == (True, Tries(1, 1, 4))


def test_a_streak_counts_tasks_that_fail_alike() -> None:
    streak = Streak(3)
    assert not streak.failure("a", FailureReason.ERROR, "x", 1.0)
    assert not streak.failure("a", FailureReason.ERROR, "x", 1.0)
    assert not streak.failure("b", FailureReason.ERROR, "x", 1.0)
    assert streak.failure("c", FailureReason.ERROR, "x", 1.0)


@pytest.mark.parametrize("breaker", ["success", "other message", "long attempt"])
def test_a_streak_is_broken(breaker: str) -> None:
    streak = Streak(2)
    streak.failure("a", FailureReason.ERROR, "x", 1.0)
    if breaker == "success":
        streak.success()
    elif breaker == "other message":
        streak.failure("b", FailureReason.ERROR, "y", 1.0)
    else:
        streak.failure("b", FailureReason.ERROR, "x", 1000.0)
    assert not streak.failure("c", FailureReason.ERROR, "x", 1.0)


def failed(reason: FailureReason, message: str = "", **fields: Any) -> Failed:
    """Return a failure after a second, or after `seconds`."""
    given = {"seconds": 1.0, "exit_code": 1} | fields
    return Failed(
        task="t", config="c", digest="", attempt=1, reason=reason, message=message, gpu="GPU-1", log="",
        finished_at="", **given,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("failure", "suspect", "of_gpu"),
    [
        (failed(FailureReason.LOST_GPU, "GPU is lost", seconds=9000.0), True, True),
        (failed(FailureReason.KILLED, signal=11, exit_code=None), True, True),
        (failed(FailureReason.KILLED, signal=7, exit_code=None), True, True),
        (failed(FailureReason.ERROR, "Segmentation fault", exit_code=139), True, True),
        (failed(FailureReason.KILLED, signal=9, exit_code=None), False, False),
        (failed(FailureReason.KILLED, exit_code=143), False, False),
        (failed(FailureReason.ERROR, "RuntimeError: CUDA error: misaligned address"), True, True),
        (failed(FailureReason.ERROR, "CUDA error: misaligned address", seconds=61.0), False, True),
        (failed(FailureReason.ERROR, "CUDA error: device-side assert triggered"), True, False),
        (failed(FailureReason.ERROR, "ValueError: no such scheduler"), True, False),
        (failed(FailureReason.INCOMPLETE), True, False),
        (failed(FailureReason.OOM, "CUDA out of memory"), False, True),
        (failed(FailureReason.CONFIG, "ImportError: no module"), False, False),
        (failed(FailureReason.HANG), False, False),
        (failed(FailureReason.TIMEOUT), False, False),
    ],
)
def test_which_failures_may_be_their_gpus(failure: Failed, suspect: bool, of_gpu: bool) -> None:
    assert is_suspect(failure) is suspect
    if suspect:
        assert speaks_of_gpu(failure) is of_gpu


def test_a_streak_knows_where_it_happened() -> None:
    streak = Streak(2)
    streak.failure("a", FailureReason.ERROR, "x", 1.0, "GPU-1")
    assert streak.failure("b", FailureReason.ERROR, "x", 1.0, "GPU-2")
    assert streak.gpus == {"GPU-1", "GPU-2"}
    streak.success()
    assert streak.gpus == set()


@pytest.mark.parametrize(
    ("message", "unexplained"),
    [
        ("ValueError: no such scheduler", False),
        ("json.decoder.JSONDecodeError: Expecting value", False),
        ("RuntimeError: it does not work", True),
        ("torch.AcceleratorError: CUDA error: unknown error", True),
        ("ValueError: CUDA device 0 is odd", True),
        ("Segmentation fault", True),
        ("exit code 3 and nothing printed", True),
    ],
)
def test_what_an_exception_of_the_program_explains_is_in_doubt_on_a_failing_gpu_only(
    message: str, unexplained: bool
) -> None:
    failure = failed(FailureReason.ERROR, message)
    assert Doubt.UNEXPLAINED.covers(failure) is unexplained
    assert Doubt.ANY.covers(failure)
    assert not Doubt.NONE.covers(failure)
    assert not Doubt.ANY.covers(failed(FailureReason.CONFIG, message))
