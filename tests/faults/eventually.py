"""Wait for what no descriptor announces."""

import time
from collections.abc import Callable

from tests.faults.program import LONG

PAUSE = 0.01


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Return once `condition` holds; fail, saying `what` was waited for, if it never does."""
    give_up = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < give_up, f"never: {what}"
        time.sleep(PAUSE)
