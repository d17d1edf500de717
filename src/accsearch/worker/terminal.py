"""What a person sees who watches a worker on a terminal: lines, and progress bars that no log holds."""

import sys
from typing import Any, TextIO

from tqdm import tqdm

tqdm.monitor_interval = 0  # its thread would disturb the timing


def progress_bar(total: int, unit: str, stream: TextIO | None = None) -> Any:
    """Return a context manager, a bar of tqdm's on `stream` (default: stderr); no bar where that is no terminal."""
    file = stream or sys.stderr
    return tqdm(total=total, unit=unit, leave=False, dynamic_ncols=True, file=file, disable=not file.isatty())


def say(text: str) -> None:
    """Print a line at once, above the bars; the log is what the watchdog and the user see."""
    with tqdm.external_write_mode():
        print(text, flush=True)
