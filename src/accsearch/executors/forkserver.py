"""The process that forks keepers: what a keeper imports is loaded once, not once a runner."""

import contextlib
import fcntl
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from accsearch.executors.messages import CHANNEL


class ForkServer:
    """Started at once, without waiting for it; ends when closed or when this process has died."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._pid = _spawn(theirs)
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self._control = ours
        self._keepers: set[int] = set()

    def fork(self, descriptors: Sequence[int]) -> int:
        """Start a keeper that gets these descriptors, its channel first; return its pid.

        Raises ConnectionError if the server has been killed.
        """
        socket.send_fds(self._control, [b"k"], descriptors)
        answer = self._control.recv(16)
        if not answer:
            raise ConnectionResetError("the server has ended")
        pid = int(answer)
        self._keepers.add(pid)
        return pid

    def forget(self, keeper: int) -> None:
        """Note that a keeper has ended."""
        self._keepers.discard(keeper)

    def strays(self) -> list[int]:
        """Return the workers whose keeper was killed, also one that had no time to record what it had started."""
        found: list[int] = []
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{self._pid}/task"):  # noqa: PTH208 - names alone
                found += map(int, Path(f"/proc/{self._pid}/task/{thread}/children").read_text().split())
        return [pid for pid in found if pid not in self._keepers]

    def close(self) -> None:
        """Let the server end, and wait for it; its keepers live on."""
        self._control.close()
        os.waitpid(self._pid, 0)


def _spawn(control: socket.socket) -> int:
    """Start the server in a session of its own; return its pid."""
    # Moved out of the way first, since the target's number may be its own, and would be closed with it then.
    source = fcntl.fcntl(control.fileno(), fcntl.F_DUPFD_CLOEXEC, CHANNEL + 1)
    try:
        return os.posix_spawn(
            sys.executable,
            [sys.executable, "-P", "-m", "accsearch.keeper"],
            os.environ,
            file_actions=[
                *((os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)),
                (os.POSIX_SPAWN_DUP2, source, CHANNEL),
            ],
            setsid=True,
            setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGPIPE],
        )
    finally:
        os.close(source)
