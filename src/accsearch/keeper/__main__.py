"""Entry point of the keepers: `python -m accsearch.keeper`, which forks one for each slot that is asked for.

The server's control channel is descriptor 3: a message comes with the descriptors of a slot (its channel,
and on a GPU its lease), the answer is the pid of the keeper. The server ends with its scheduler, a keeper
when its worker has ended. A keeper has its slot's channel as descriptor 3 and the lease, if there is one, as
4: held here and inherited by every worker, so that the lease ends with the last of them.
"""

import contextlib
import fcntl
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

from accsearch.errors import StorageError
from accsearch.executors.messages import CHANNEL, LEASE, Lines
from accsearch.keeper.attempt import Attempt
from accsearch.keeper.child import become_subreaper
from accsearch.keeper.warm import WarmProcess
from accsearch.process_identity import pid_namespace, process_create_time, process_identity


class Keeper:
    """Serves one slot: one job at a time, until asked to quit or until the scheduler is gone."""

    def __init__(self, channel: socket.socket, signals: socket.socket) -> None:
        self._channel: socket.socket | None = channel
        self._lines = Lines()
        self._signals = signals
        self._attempt: Attempt | None = None
        self._warm = WarmProcess()
        self._quit = False
        pid = os.getpid()
        self._identity = {
            "keeper_pid": pid,
            "keeper_create_time": process_create_time(pid),
            "keeper_identity": process_identity(pid),
            "namespace": pid_namespace(),
        }
        self._poller = select.poll()
        self._poller.register(channel, select.POLLIN)
        self._poller.register(signals, select.POLLIN)

    def serve(self) -> None:
        """Run until there is nothing left to do."""
        while self._attempt is not None or (self._channel is not None and not self._quit):
            wait = self._attempt.step(time.monotonic()) if self._attempt is not None else None
            for descriptor, _ in self._poller.poll(None if wait is None else wait * 1000 + 1):
                self._handle(descriptor)
        self._warm.end()

    def _handle(self, descriptor: int) -> None:
        attempt = self._attempt
        if descriptor == self._signals.fileno():
            self._signals.recv(64)
            self._quit = True
            if attempt is not None:
                attempt.stop("stopped", time.monotonic())
        elif attempt is not None and descriptor == attempt.output:
            if not attempt.read_output(time.monotonic()):
                self._poller.unregister(attempt.output)
        elif attempt is not None and attempt.child is not None and descriptor == attempt.child.pidfd:
            self._end(attempt)
        elif attempt is not None and attempt.is_forked and descriptor == self._warm.fileno():
            self._poller.unregister(descriptor)
            self._await(attempt, attempt.take_forked)
        elif self._channel is not None and descriptor == self._channel.fileno():
            self._listen(self._channel)

    def _listen(self, channel: socket.socket) -> None:
        try:
            data = channel.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        if not data:
            self._poller.unregister(channel)
            self._channel = None
        for message in self._lines.feed(data):
            if message["do"] == "stop" and self._attempt is not None:
                self._attempt.stop("stopped", time.monotonic())
            elif message["do"] == "job":
                self._start(message)

    def _start(self, job: dict[str, Any]) -> None:
        try:
            attempt = Attempt(job | {"keeper": self._identity}, time.monotonic(), self._warm)
            attempt.announce()
            if self._is_alone():
                # The next scheduler may not have seen the marker: what it starts must be the only one.
                attempt.cancel()
                return
        except (StorageError, OSError) as error:
            self._fail(error)
            return
        self._attempt = attempt
        self._poller.register(attempt.output, select.POLLIN)
        self._await(attempt, attempt.begin)

    def _await(self, attempt: Attempt, begin: Callable[[], None]) -> None:
        """Begin an attempt, or go on with that, and await what comes next of it."""
        try:
            begin()
        except (StorageError, OSError) as error:
            self._attempt = None
            self._fail(error)
            return
        if attempt.is_forked:
            self._poller.register(self._warm, select.POLLIN)
        elif attempt.child is not None:
            self._poller.register(attempt.child.pidfd, select.POLLIN)
        else:
            self._end(attempt)

    def _is_alone(self) -> bool:
        """Return whether the scheduler is gone."""
        if self._channel is None:
            return True
        poller = select.poll()
        poller.register(self._channel, 0)
        return bool(poller.poll(0))

    def _end(self, attempt: Attempt) -> None:
        if attempt.child is not None:
            self._poller.unregister(attempt.child.pidfd)
        with contextlib.suppress(KeyError):
            self._poller.unregister(attempt.output)
        self._attempt = None
        try:
            ended = attempt.finish()
        except StorageError as error:
            self._fail(error)
            return
        if ended is None:
            self._quit = True  # taken over: the scheduler finds out by our end
            return
        self._report({"event": "ended", "exit": ended, "running": attempt.running})

    def _fail(self, error: Exception) -> None:
        """Give the slot up: what cannot be recorded must not run."""
        self._report({"event": "storage", "message": str(error)})
        self._quit = True

    def _report(self, event: dict[str, Any]) -> None:
        if self._channel is not None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._channel.sendall(Lines.encode(event))


def main() -> None:
    """Fork a keeper for each slot that is asked for, until the scheduler is gone."""
    os.set_inheritable(CHANNEL, False)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a keeper as its parent
    become_subreaper()  # what a killed keeper leaves behind is found among our children, recorded or not
    with socket.socket(fileno=CHANNEL) as control:
        while True:
            try:
                asked, descriptors, _, _ = socket.recv_fds(control, 1, 2)
            except ConnectionResetError:
                return
            if not asked:
                return
            pid = os.fork()
            if pid == 0:
                try:
                    keep(descriptors)
                finally:
                    # Nothing is buffered, and who waits for the slot should not wait for an orderly teardown.
                    os._exit(0)
            for descriptor in descriptors:
                os.close(descriptor)
            with contextlib.suppress(BrokenPipeError):
                control.send(str(pid).encode())


def keep(descriptors: Sequence[int]) -> None:
    """Be the keeper of a slot with these descriptors until it is not needed any more."""
    os.setsid()
    # Moved out of the way first, so that no target is still somebody's source.
    moved = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, LEASE + 1) for each in descriptors]
    os.dup2(moved[0], CHANNEL, inheritable=False)
    if len(moved) > 1:
        os.dup2(moved[1], LEASE)
    os.closerange(CHANNEL + len(moved), os.sysconf("SC_OPEN_MAX"))  # what a scheduler's parent left open, too
    become_subreaper()
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    with socket.socket(fileno=CHANNEL) as channel:
        Keeper(channel, ours).serve()


if __name__ == "__main__":
    main()
