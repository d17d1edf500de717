"""How a program of ours ends at SIGTERM."""

import signal
from types import FrameType
from typing import NoReturn


def end_in_order() -> None:
    """Make SIGTERM an exception with exit code 143: what is open is closed, folders of its own are removed."""
    signal.signal(signal.SIGTERM, _terminate)


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(143)
