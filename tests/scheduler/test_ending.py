"""How signals and faults end a run."""

from signal import SIGINT, SIGTERM

from accsearch.scheduler.ending import Ending, Shutdown
from accsearch.scheduler.stop import DRAIN, STOP


def test_one_interrupt_drains_a_second_stops() -> None:
    ending = Ending()
    assert ending.take(SIGINT) is not None
    assert ending.mode is Shutdown.DRAIN
    assert ending.take(SIGINT) is not None
    assert (ending.mode, ending.exit_code) == (Shutdown.STOP, 130)
    assert ending.take(SIGINT) is None


def test_terminated() -> None:
    ending = Ending()
    ending.take(DRAIN)
    ending.take(SIGTERM)
    assert (ending.mode, ending.exit_code) == (Shutdown.STOP, 143)


def test_stop_now() -> None:
    ending = Ending()
    ending.take(STOP)
    assert (ending.mode, ending.exit_code) == (Shutdown.STOP, 130)


def test_the_exit_code_for_storage_stays() -> None:
    ending = Ending()
    assert ending.cut(Shutdown.DRAIN, "disk full", 4)
    assert not ending.cut(Shutdown.DRAIN, "disk full", 4)
    ending.take(SIGTERM)
    assert (ending.mode, ending.exit_code, ending.why) == (Shutdown.STOP, 4, "disk full")
