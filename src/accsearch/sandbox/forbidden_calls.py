"""The system calls that the filter refuses, answered from outside of the sandbox, where nothing can forge a note.

The kernel holds each of them until it is answered (seccomp_unotify(2)); the answer is always the refusal.
"""

import errno
import fcntl
import os
import platform
import select
import socket
import struct
import threading

from accsearch.sandbox.seccomp import ARCHITECTURES, X32
from accsearch.sandbox.syscalls import NUMBERS

RECEIVE, SEND = 0xC0502100, 0xC0182101
NOTICE = struct.Struct("=QIIiIQ6Q")
"""`struct seccomp_notif`: id, process, flags, number, architecture, instruction, six arguments."""

ANSWER = struct.Struct("=QqiI")
"""`struct seccomp_notif_resp`: id, value, error, flags."""

SENT = b"l"
"""The byte that carries the listener."""


class Attempts:
    """Notes each kind of refused call once, in `seen`; give the launcher `theirs`, then `start`."""

    def __init__(self) -> None:
        self.seen: dict[str, None] = {}
        self._ours, self._theirs = socket.socketpair()
        self._stop = os.eventfd(0)
        self._thread = threading.Thread(target=self._answer_all, daemon=True)

    @property
    def theirs(self) -> int:
        """The descriptor over which the launcher hands the listener out."""
        return self._theirs.fileno()

    def start(self) -> None:
        """Answer from now on; the launcher has its copy of `theirs`."""
        self._theirs.close()
        self._thread.start()

    def close(self) -> None:
        """Stop; calls that the filter would have noted are refused from now on too (ENOSYS)."""
        os.eventfd_write(self._stop, 1)
        if self._thread.ident is not None:
            self._thread.join()
        self._theirs.close()
        self._ours.close()
        os.close(self._stop)

    def _answer_all(self) -> None:
        if not self._readable(self._ours.fileno()):
            return
        _, listeners, _, _ = socket.recv_fds(self._ours, len(SENT), 1)
        for listener in listeners:
            try:
                while self._readable(listener):
                    self._answer(listener)
            finally:
                os.close(listener)

    def _readable(self, descriptor: int) -> bool:
        """Wait until there is something to read; False where the other side, or this one, has ended."""
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        waiting.register(self._stop, select.POLLIN)
        found = dict(waiting.poll())
        return self._stop not in found and bool(found.get(descriptor, 0) & select.POLLIN)

    def _answer(self, listener: int) -> None:
        notice = bytearray(NOTICE.size)
        try:
            fcntl.ioctl(listener, RECEIVE, notice)
            number, _, _, call, architecture, _, *arguments = NOTICE.unpack(notice)
            self.seen.setdefault(described(call, architecture, arguments))
            fcntl.ioctl(listener, SEND, ANSWER.pack(number, 0, -errno.EPERM, 0))
        except OSError as error:
            # The caller was killed, or its call interrupted, meanwhile.
            if error.errno not in (errno.ENOENT, errno.EINTR):
                raise


def described(call: int, architecture: int, arguments: list[int]) -> str:
    """Return the note on a refused call."""
    machine = platform.machine()
    if architecture != ARCHITECTURES[machine] or call & X32:
        return f"system call: {call & ~X32} of another interface"
    name = next((name for name, number in NUMBERS[machine].items() if number == call), str(call))
    families = f" of family {arguments[0]}" if name == "socket" else ""
    types = f" of type {arguments[1] & 0xF}" if name == "socketpair" else ""
    return f"system call: {name}{families}{types}"


def hand_out(descriptor: int, listener: int | None) -> None:
    """Send the listener over `descriptor`, the launcher's side, and close both."""
    with socket.socket(fileno=descriptor) as channel:
        if listener is not None:
            socket.send_fds(channel, [SENT], [listener])
            os.close(listener)
