"""Drive the preloaded library that lets system calls of accsearch's own processes fail."""

import atexit
import mmap
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")
CALLS = ("open", "create", "write", "sync", "rename", "unlink", "mkdir", "truncate")
GROWING = ("create", "write", "mkdir")
"""What a full disk refuses."""
KILL = 0
"""As an error: the process that makes the call is killed. A negative one: it takes as many milliseconds more."""
EVER = (1 << 64) - 1
LAYOUT = struct.Struct("=QQQQq")


@dataclass(frozen=True)
class Call:
    """One traced call; `path` is relative to the watched folder."""

    number: int
    name: str
    path: str


class Shim:
    """The faults of the processes that were started with `environment()`; changes take effect at once."""

    def __init__(self, folder: Path, prefix: Path) -> None:
        self._prefix = prefix
        self._control = folder / "crash.control"
        self._trace = folder / "crash.trace"
        self._control.write_bytes(bytes(LAYOUT.size))
        with self._control.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), LAYOUT.size)
        self.disarm()

    def environment(self, *, trace: bool = False) -> dict[str, str]:
        """Return the variables that load the library."""
        variables = {
            "LD_PRELOAD": str(library()),
            "CRASH_PREFIX": f"{self._prefix}/",
            "CRASH_CONTROL": str(self._control),
        }
        return variables | ({"CRASH_TRACE": str(self._trace)} if trace else {})

    def arm(self, error: int, first: int = 1, last: int | None = None, calls: Iterable[str] = CALLS) -> None:
        """Let the calls `first` to `last` (default: only the first) fail with `error`, counted from now."""
        bits = sum(1 << CALLS.index(name) for name in calls)
        self._memory[:] = LAYOUT.pack(0, first, first if last is None else last, bits, error)

    def disarm(self) -> None:
        """Let every call succeed, and count anew."""
        self.arm(error=KILL, first=0)

    @property
    def count(self) -> int:
        """How many calls there were since the last change."""
        found: int = LAYOUT.unpack(self._memory[:])[0]
        return found

    def trace(self) -> list[Call]:
        """Return the traced calls in order."""
        rows = [line.split(" ", 2) for line in self._trace.read_text().splitlines()]
        return sorted((Call(int(n), name, path) for n, name, path in rows), key=lambda call: call.number)


@cache
def library() -> Path:
    """Return the compiled library."""
    folder = Path(tempfile.mkdtemp(prefix="crash-shim-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    target = folder / "shim.so"
    flags = ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-U_FORTIFY_SOURCE", "-shared", "-fPIC"]
    subprocess.run(["cc", *flags, "-o", target, SOURCE, "-ldl"], check=True)
    return target
