"""Start a worker that waits for leave to begin, and that cannot outlive its keeper."""

import contextlib
import ctypes
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
CANNOT_START = 127
"""Exit code of a child whose program could not be started, as in a shell."""

_prctl: Any = ctypes.CDLL(None, use_errno=True).prctl


def become_subreaper() -> None:
    """Make every orphaned descendant of this process its child."""
    if _prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


@dataclass(frozen=True, slots=True)
class Child:
    """A forked worker that has not begun yet; `gate` is its leave to begin, and back."""

    pid: int
    pidfd: int
    gate: socket.socket

    def begin(self) -> None:
        """Let the program start; nothing happens if the child has died meanwhile."""
        with contextlib.suppress(OSError):
            self.gate.send(b"g")

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens if the child has ended."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, number)

    def kill(self) -> None:
        """End the child now and reap it."""
        self.send(signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.close()

    def reason_not_started(self) -> str | None:
        """Return why the program could not be started, once the child has ended; None if it was."""
        try:
            return self.gate.recv(4096, socket.MSG_DONTWAIT).decode(errors="replace") or None
        except OSError:
            return None

    def close(self) -> None:
        os.close(self.pidfd)
        self.gate.close()


def fork(argv: Sequence[str], env: Mapping[str, str], cwd: str, output: int) -> Child:
    """Fork a child in its own session that will run `argv` with stdout and stderr in `output`."""
    keeper = os.getpid()
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        _become(argv, env, cwd, output, theirs, keeper)
    theirs.close()
    return Child(pid, os.pidfd_open(pid), ours)


def _become(
    argv: Sequence[str], env: Mapping[str, str], cwd: str, output: int, gate: socket.socket, keeper: int
) -> NoReturn:
    try:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != keeper:
            os._exit(CANNOT_START)  # the keeper died before the line above could take effect
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        if gate.recv(1) == b"g":
            os.chdir(cwd)
            os.execvpe(argv[0], list(argv), env)
    except (OSError, ValueError) as error:
        with contextlib.suppress(OSError):
            gate.send(f"cannot start {argv[0]}: {error}".encode())
    finally:
        os._exit(CANNOT_START)
