"""Which methods go with each other and with a cell of the grid, by the rules in each method's file."""

from collections.abc import Iterable

from accsearch.methods.catalogue import METHODS
from accsearch.methods.cell import Cell
from accsearch.task import Methods


def admits(cell: Cell, methods: Methods) -> str | None:
    """Return None if `methods` may run in `cell`, else why not, as one line. Parameters must be complete."""
    if reason := combines(methods):
        return reason
    for name in methods:
        if cell.family not in METHODS[name].supports:
            return METHODS[name].unsupported.get(
                cell.family, f"{name} does not work on a pipeline of the family {cell.family}"
            )
        if reason := METHODS[name].refusal(cell, methods):
            return reason
    return None


def combines(names: Iterable[str]) -> str | None:
    """Return None if these methods combine, else the reason why two of them do not."""
    together = frozenset(names)
    for one, info in METHODS.items():
        if one in together and info.conflict is not None:
            for other in METHODS:
                if other != one and other in together and (reason := info.conflict(other)):
                    return reason
    return None


def caution(cell: Cell, methods: Methods) -> str | None:
    """Return what to say about `methods` although they are admitted in `cell`, or None."""
    return next(filter(None, (METHODS[name].caution(cell) for name in methods)), None)
