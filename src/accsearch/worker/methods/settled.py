"""Thresholds that are settled by a plain generation before the first run."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from accsearch.task import Scalar
from accsearch.worker.methods.calibration import Plain
from accsearch.worker.methods.session import Session


def waits(threshold: Scalar) -> float:
    """Return a threshold, or NaN for a quantile that is not settled yet: nothing is below or above it."""
    return math.nan if isinstance(threshold, str) else float(threshold)


@contextmanager
def settled(session: Session, settle: Callable[[Plain], None] | None) -> Iterator[None]:
    """Let `Applied.verify` call `settle`, if there is one."""
    if settle is None:
        yield
        return
    session.settles.append(settle)
    try:
        yield
    finally:
        session.settles.remove(settle)
