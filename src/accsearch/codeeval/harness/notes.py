"""Tell the parent what the generated file tries in vain: network, files outside, signals to others.

The cage has refused it all anyway; this is only how it comes into the report.
"""

import os
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

LENGTH = 250
NETWORK = ("socket.getaddrinfo", "socket.gethostbyname", "socket.connect", "socket.sendto", "socket.bind")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = (
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.chmod",
    "os.chown",
    "os.link",
    "os.symlink",
    "os.truncate",
    "shutil.rmtree",
)
LISTINGS = ("os.listdir", "os.scandir")


def watch(descriptor: int, rules: Mapping[str, Any], file: str) -> None:
    """Write one line to `descriptor` for each attempt from now on; a Python process cannot take this back."""
    notes = _Notes(descriptor, rules, file)
    sys.addaudithook(notes.see)


class _Notes:
    def __init__(self, descriptor: int, rules: Mapping[str, Any], file: str) -> None:
        self._descriptor = descriptor
        self._file = file
        self._writable = [rules["scratch"], *rules["devices"]]
        self._readable = [*rules["readable"], *self._writable]
        # Frames of the standard library carry on what the file asks for; packages act for themselves.
        self._packages = sysconfig.get_paths()["purelib"]
        self._busy = False

    def see(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Judge one audit event; called for every event of the interpreter, so it leaves early."""
        if self._busy or not event.startswith(("socket.", "open", "os.", "shutil.")):
            return
        self._busy = True
        try:
            text = self._judged(event, arguments)
            if text is not None and self._asked_by_file():
                line = " ".join(text.split())[:LENGTH] + "\n"
                os.write(self._descriptor, line.encode(errors="replace"))
        except (OSError, ValueError, TypeError):
            # A note that cannot be taken must not change what the program does.
            return
        finally:
            self._busy = False

    def _judged(self, event: str, arguments: tuple[Any, ...]) -> str | None:
        if event in NETWORK:
            target = arguments[0] if event.startswith("socket.get") else arguments[-1]
            return f"network: {event.removeprefix('socket.')} {_plain(target)}"
        if event == "socket.__new__":
            return "network: socket"
        if event == "open":
            path, mode, flags = arguments
            writes = bool(flags & WRITING) if isinstance(flags, int) else False
            writes = writes or (isinstance(mode, str) and any(letter in mode for letter in "wax+"))
            return self._outside(path, "write" if writes else "read")
        if event in CHANGES:
            return self._outside(arguments[0], "write")
        if event in LISTINGS:
            return self._outside(arguments[0], "read")
        if event in ("os.kill", "os.killpg") and arguments[0] not in (os.getpid(), 0):
            return f"signal: {event.removeprefix('os.')} {arguments[0]}"
        return None

    def _outside(self, path: Any, what: str) -> str | None:
        if not isinstance(path, str | bytes | os.PathLike):
            return None
        real = os.path.realpath(os.fsdecode(path))
        allowed = self._writable if what == "write" else self._readable
        roots = {each for root in allowed for each in (root, os.path.realpath(root))}
        if any(real == root or real.startswith(root + "/") for root in roots):
            return None
        # A look at what is not there is how imports and settings are searched.
        if what == "read" and any(root.startswith(real.rstrip("/") + "/") for root in allowed):
            return None
        return f"{what}: {real}"

    def _asked_by_file(self) -> bool:
        """Say whether the generated file itself asks, directly or through the standard library."""
        frame: FrameType | None = sys._getframe(2)
        while frame is not None:
            name = frame.f_code.co_filename
            if name == self._file:
                return True
            if name.startswith(("<frozen importlib", self._packages)):
                return False
            frame = frame.f_back
        return False


def _plain(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ":".join(_plain(each) for each in value)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(value) if isinstance(value, str | int | Path) else type(value).__name__
