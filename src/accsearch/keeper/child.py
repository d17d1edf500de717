"""Start a worker in a session of its own, and signal it without ever hitting another process."""

import contextlib
import ctypes
import errno
import os
import shlex
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accsearch.executors.messages import CHANNEL

PR_SET_CHILD_SUBREAPER = 36
CANNOT_START = 127
"""Exit code of a program that could not be started, as in a shell."""
_DEFAULTS = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ)


def become_subreaper() -> None:
    """Make every orphaned descendant of this process its child."""
    prctl: Any = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


@dataclass(frozen=True, slots=True)
class Child:
    """A worker; `pidfd` becomes readable when it ends."""

    pid: int
    pidfd: int

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens if the child has ended."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, number)

    def has_failed(self) -> bool:
        """Return whether the child, which has ended and is not reaped yet, did not exit with 0."""
        ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        return ended is not None and ended.si_status != 0

    def reap(self) -> int:
        """Return the exit code of the ended child, negative for a signal."""
        os.close(self.pidfd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def spawn(
    argv: Sequence[str], env: Mapping[str, str], cwd: str, output: int, channel: int | None = None
) -> Child:
    """Start `argv` with stdout and stderr in `output`, and `channel` as descriptor 3 if there is one.

    Raises OSError or ValueError if it cannot be started.

    posix_spawn shares this process' memory until the program is loaded: a fork would copy a Python's pages,
    which takes longer than everything else that a keeper does for a task. It knows no working directory, so
    this process goes there itself.
    """
    os.chdir(cwd)
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, output, 1),
        (os.POSIX_SPAWN_DUP2, output, 2),
    ]
    if channel is not None:
        actions.append((os.POSIX_SPAWN_DUP2, channel, CHANNEL))
    program = _find(argv[0], env)
    pid = os.posix_spawn(program, list(argv), env, file_actions=actions, setsid=True, setsigdef=_DEFAULTS)
    return Child(pid, os.pidfd_open(pid))


def why_not_started(program: str, cwd: str, error: OSError | ValueError) -> str:
    """Return in one line why `program` could not be started in `cwd`, and what to do about it where that is plain."""
    said = f"cannot start {program}: {error.strerror if isinstance(error, OSError) else error}"
    file = Path(cwd, program)
    number = error.errno if isinstance(error, OSError) else None
    if file.is_dir():
        return f"{said} (it is a folder)"
    if number == errno.EACCES and file.is_file() and not os.access(file, os.X_OK):
        return f"{said} (make it executable: chmod +x {shlex.quote(program)})"
    if number == errno.ENOEXEC:
        return f"{said} (its first line has to name a program, as #!/bin/sh)"
    if number == errno.ENOENT and file.is_file():
        if "/" in program:
            return f"{said} (the program that its first line names is not there)"
        return f"{said} (for the file in {cwd} write ./{program})"
    return said


def _find(program: str, env: Mapping[str, str]) -> str:
    """Return the path of a program as a shell would find it, with the worker's own PATH."""
    if "/" in program:
        return program
    for folder in env.get("PATH", os.defpath).split(":"):
        path = f"{folder or '.'}/{program}"
        if os.access(path, os.X_OK) and not os.path.isdir(path):  # noqa: PTH112
            return path
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)
