"""Deadlines of a worker; time is a number that the tests pass in."""

from accsearch.keeper.watchdog import CHECKS_PER_STALL, Watchdog


class Progress:
    def __init__(self) -> None:
        self.value = 0

    def __call__(self) -> tuple[int, ...]:
        return (self.value,)


def test_without_limits_nothing_is_ever_due() -> None:
    watchdog = Watchdog(None, None, Progress(), 0.0)
    assert watchdog.verdict(1e9) is None
    assert watchdog.next_check(1e9) is None


def test_the_time_limit_counts_from_the_start() -> None:
    watchdog = Watchdog(10.0, None, Progress(), 5.0)
    assert watchdog.verdict(14.9) is None
    assert watchdog.next_check(14.0) == 1.0
    assert watchdog.verdict(15.0) == "timeout"


def test_silence_is_a_hang() -> None:
    watchdog = Watchdog(None, 8.0, Progress(), 0.0)
    assert watchdog.verdict(7.9) is None
    assert watchdog.verdict(8.0) == "hang"


def test_output_puts_the_hang_off() -> None:
    watchdog = Watchdog(None, 8.0, Progress(), 0.0)
    watchdog.heard(7.0)
    assert watchdog.verdict(14.9) is None
    assert watchdog.verdict(15.0) == "hang"


def test_silent_progress_puts_the_hang_off() -> None:
    progress = Progress()
    watchdog = Watchdog(None, 8.0, progress, 0.0)
    progress.value = 1
    assert watchdog.verdict(7.0) is None
    assert watchdog.verdict(14.9) is None
    assert watchdog.verdict(15.0) == "hang"


def test_it_asks_to_be_called_in_time_and_not_all_the_time() -> None:
    watchdog = Watchdog(None, 8.0, Progress(), 0.0)
    assert watchdog.next_check(0.0) == 8.0 / CHECKS_PER_STALL
    now, calls = 0.0, 0
    while watchdog.verdict(now) is None:
        step = watchdog.next_check(now)
        assert step is not None
        now += step
        calls += 1
    assert now == 8.0
    assert calls <= CHECKS_PER_STALL + 1
