"""Print a growing log."""

import time
from pathlib import Path
from typing import BinaryIO

PAUSE = 0.2


def follow_log(path: Path, running: Path, out: BinaryIO) -> None:
    """Copy `path` to `out` as it grows, until no attempt runs; a new attempt's log is followed too."""
    while True:
        with path.open("rb") as log:
            identity = path.stat().st_ino
            while True:
                alive = running.exists()
                if block := log.read(1 << 16):
                    out.write(block)
                    out.flush()
                elif not alive:
                    return
                elif path.exists() and path.stat().st_ino != identity:
                    break
                else:
                    time.sleep(PAUSE)
