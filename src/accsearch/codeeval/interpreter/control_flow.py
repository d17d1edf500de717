"""How control leaves a statement other than at its end."""

from accsearch.codeeval.values import Value


class Signal(Exception):
    """Base of the ways in which the program under analysis transfers control."""


class ReturnSignal(Signal):
    def __init__(self, value: Value) -> None:
        super().__init__()
        self.value = value


class BreakSignal(Signal):
    pass


class ContinueSignal(Signal):
    pass


class RaiseSignal(Signal):
    """An explicit raise; `value` is the exception or its class."""

    def __init__(self, value: Value) -> None:
        super().__init__()
        self.value = value


class ExitSignal(Signal):
    """The end of the program; one that `os._exit` makes cannot be caught."""

    def __init__(self, *, hard: bool = False) -> None:
        super().__init__()
        self.hard = hard


class EndlessSignal(Signal):
    """A loop that never ends: what follows it is never reached."""


class CutSignal(Signal):
    """A path that only repeats what shorter paths show."""


class ForkNeeded(Exception):
    """Two branches cannot be merged because something inside them depends on a further unknown."""


class RestartNeeded(Exception):
    """A trial of two branches consumed an iterator, which cannot be undone; the path has to be run again."""


class OutOfBudget(Exception):
    """The analysis has taken its number of steps."""
