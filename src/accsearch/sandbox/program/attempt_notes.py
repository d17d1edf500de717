"""Report to the client what the generated file tries and is refused: network, files outside, signals to others.

The sandbox refuses it all without this module, which only says so. What other programs try that the file starts is not
seen here: that it starts them is reported instead. What native code tries is noted outside of the sandbox
(`sandbox/forbidden_calls.py`), unless libraries do it too.
"""

import os
import socket
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
    "os.utime",
    "os.setxattr",
    "os.removexattr",
    "shutil.rmtree",
)
LISTINGS = ("os.listdir", "os.scandir")
PROGRAMS = ("subprocess.Popen", "os.system", "os.posix_spawn", "os.exec", "os.spawn", "pty.spawn")
FIXED_COMMANDS = ("platform.py", "uuid.py", "ctypes/util.py")
"""Modules of the standard library that run commands of their own to learn about the machine."""

NATIVE = ("socket", "getaddrinfo", "gethostbyname", "gethostbyname2")
"""Functions of the C library that open a socket as libraries do, so that the filter cannot tell whose it is."""

EVENTS = ("socket.", "open", "os.", "shutil.", "subprocess.", "pty.", "ctypes.dlsym")
MOST = 200


def watch(descriptor: int, rules: Mapping[str, Any], file: str) -> None:
    """Write one line to `descriptor` for each attempt from now on; a Python process cannot take this back.

    A pipe that nobody reads for long takes no more lines, but never holds the program up.
    """
    os.set_blocking(descriptor, False)
    notes = _Notes(descriptor, rules, file)
    sys.addaudithook(notes.see)


class _Notes:
    def __init__(self, descriptor: int, rules: Mapping[str, Any], file: str) -> None:
        self._descriptor = descriptor
        self._file = file
        self._writable = [rules["scratch"], *rules["devices"]]
        self._readable = [*rules["readable"], *self._writable]
        # Frames of the standard library carry on what the file asks for; packages act for themselves.
        paths = sysconfig.get_paths()
        self._packages = (paths["purelib"], paths["platlib"])
        self._fixed_commands = tuple(f"{paths['stdlib']}/{name}" for name in FIXED_COMMANDS)
        self._reported: set[str] = set()
        self._busy = False

    def see(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Judge one audit event; called for every event of the interpreter, so it leaves early."""
        if self._busy or not event.startswith(EVENTS):
            return
        self._busy = True
        try:
            text = self._judged(event, arguments)
            if text is not None and self._asked_by_file(event in PROGRAMS):
                self._report(" ".join(text.split())[:LENGTH])
        except (OSError, ValueError, TypeError):
            # A note that cannot be taken must not change what the program does.
            return
        finally:
            self._busy = False

    def _report(self, line: str) -> None:
        if line not in self._reported and len(self._reported) < MOST:
            self._reported.add(line)
            os.write(self._descriptor, line.encode(errors="replace") + b"\n")

    def _judged(self, event: str, arguments: tuple[Any, ...]) -> str | None:
        if event in NETWORK:
            target = arguments[0] if event.startswith("socket.get") else arguments[-1]
            return f"network: {event.removeprefix('socket.')} {_plain(target)}"
        if event == "socket.__new__":
            # A pair of Unix sockets connects nothing but itself: every event loop has one.
            return None if _wraps_descriptor(sys._getframe(2)) else "network: socket"
        if event.startswith("ctypes.dlsym"):
            return f"native: {arguments[1]}" if arguments[1] in NATIVE else None
        if event in PROGRAMS:
            words = (
                arguments[1] if event in ("subprocess.Popen", "os.posix_spawn", "os.exec") else arguments[0]
            )
            return f"process: {_command(words)}"
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

    def _asked_by_file(self, starts_program: bool) -> bool:
        """Say whether the generated file itself asks, directly or through the standard library."""
        others = ("<frozen importlib", *self._packages, *(self._fixed_commands if starts_program else ()))
        frame: FrameType | None = sys._getframe(2)
        while frame is not None:
            name = frame.f_code.co_filename
            if name == self._file:
                return True
            if name.startswith(others):
                return False
            frame = frame.f_back
        return False


def _wraps_descriptor(caller: FrameType) -> bool:
    """Say whether a socket object is made of a descriptor that is there, as `socketpair` does."""
    code = caller.f_code
    return (
        code.co_filename == socket.__file__
        and code.co_name == "__init__"
        and caller.f_locals.get("fileno") is not None
    )


def _command(words: Any) -> str:
    return " ".join(map(_plain, words)) if isinstance(words, tuple | list) else _plain(words)


def _plain(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ":".join(_plain(each) for each in value)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(value) if isinstance(value, str | int | Path) else type(value).__name__
