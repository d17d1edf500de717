"""The keeper of a slot: it starts workers, watches over them and reports their ends."""

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

from accsearch.errors import StorageError
from accsearch.executors.messages import Lines
from accsearch.keeper.attempt import Attempt
from accsearch.keeper.warm import WarmProcess
from accsearch.process_identity import pid_namespace, process_create_time, process_identity

TOGETHER = 1.0
"""Seconds within which a cluster has signalled every process of a job that it ends."""


class Keeper:
    """Serves one slot: one job at a time, until asked to quit or until the scheduler is gone.

    Without a `channel` it serves the one job that it is given by `begin`, and its markers alone say how that ended.
    """

    def __init__(self, signals: socket.socket, channel: socket.socket | None = None) -> None:
        self._channel = channel
        self._has_scheduler = channel is not None
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
        if channel is not None:
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
                self.begin(message)

    def begin(self, job: dict[str, Any]) -> None:
        """Start an attempt."""
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
            return self._has_scheduler
        poller = select.poll()
        poller.register(self._channel, 0)
        return bool(poller.poll(0))

    def _end(self, attempt: Attempt) -> None:
        if attempt.child is not None:
            self._poller.unregister(attempt.child.pidfd)
            if not self._has_scheduler and attempt.child.has_failed():
                self._hear_termination(attempt)
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

    def _hear_termination(self, attempt: Attempt) -> None:
        """Find out whether the worker has failed because its job is being ended.

        A cluster signals the processes of a job one after the other; the worker may end before our signal comes.
        """
        if select.select([self._signals], [], [], TOGETHER)[0]:
            attempt.stop("stopped", time.monotonic())

    def _fail(self, error: Exception) -> None:
        """Give the slot up: what cannot be recorded must not run."""
        self._report({"event": "storage", "message": str(error)})
        self._quit = True

    def _report(self, event: dict[str, Any]) -> None:
        if self._channel is not None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._channel.sendall(Lines.encode(event))


def catch_termination() -> socket.socket:
    """Make SIGTERM readable from the socket that is returned, instead of ending this process."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.set_wakeup_fd(theirs.detach(), warn_on_full_buffer=False)
    return ours
