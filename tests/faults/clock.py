"""A wall clock that a test can set, for every process started with its environment."""

import os
import subprocess
from pathlib import Path


class WallClock:
    """Shifts CLOCK_REALTIME through a preloaded library; every other clock stays as it is."""

    def __init__(self, folder: Path) -> None:
        self._offset = folder / "clock.offset"
        self._library = folder / "clock.so"
        self.jump(0)
        source = Path(__file__).with_name("clock.c")
        command = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(self._library), str(source)]
        subprocess.run([*command, "-ldl"], check=True)

    def jump(self, seconds: int) -> None:
        """Set the clock to `seconds` from the true time."""
        temporary = self._offset.with_suffix(".tmp")
        temporary.write_text(str(seconds))
        temporary.rename(self._offset)

    def environment(self) -> dict[str, str]:
        older = os.environ.get("LD_PRELOAD")
        preload = f"{self._library}:{older}" if older else str(self._library)
        return {"LD_PRELOAD": preload, "WALL_CLOCK_OFFSET": str(self._offset)}
