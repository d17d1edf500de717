"""Print a growing log."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

PAUSE = 0.2
LOOKS = 3
"""How often in a row a task must seem over: between two attempts there is a moment without a word of either."""


def follow_log(path: Path, is_over: Callable[[], bool], out: BinaryIO) -> None:
    """Copy `path` to `out` as it grows, until the task is over; a new attempt's log is followed too."""
    while True:
        with path.open("rb") as log:
            over = 0
            while True:
                over = over + 1 if is_over() else 0
                if block := log.read(1 << 16):
                    out.write(block)
                    out.flush()
                elif _is_replaced(path, log):
                    break
                elif over >= LOOKS:
                    return
                else:
                    time.sleep(PAUSE)


def _is_replaced(path: Path, log: BinaryIO) -> bool:
    try:
        return not os.path.samestat(path.stat(), os.fstat(log.fileno()))
    except FileNotFoundError:
        return False
