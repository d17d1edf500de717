"""Run tasks on this machine, each runner in the care of a keeper process."""

import os
import select
import signal
import socket
from pathlib import Path
from typing import Any, TypeVar

from accsearch.checkpoint import heartbeat
from accsearch.checkpoint.markers import DamagedMarker, Exit, Running, read_exit, read_running
from accsearch.executors.executor import Ended, Event, Job, NoStorage, Runner, RunnerGone
from accsearch.executors.forkserver import ForkServer
from accsearch.executors.messages import Lines
from accsearch.executors.orphans import end_attempt, orphans_of
from accsearch.process_identity import is_alive
from accsearch.workdir import TaskPaths

NAME = "local"
HOST = os.uname().nodename
Known = TypeVar("Known", Exit, Running)


class KeptRunner:
    """A runner whose keeper was started for this process."""

    def __init__(self, server: ForkServer, lease: int | None) -> None:
        self._lines = Lines()
        self._job: Job | None = None
        self._socket, theirs = socket.socketpair()
        try:
            pid = server.fork([theirs.fileno(), *([] if lease is None else [lease])])
        except OSError:
            self._socket.close()
            raise
        finally:
            theirs.close()
        self._server = server
        self._pid = pid
        try:
            self._pidfd: int | None = os.pidfd_open(pid)
        except ProcessLookupError:  # killed already; `read` finds out
            self._pidfd = None

    def fileno(self) -> int:
        return self._socket.fileno()

    def start(self, job: Job) -> None:
        """Send the job; a keeper that has died meanwhile is noticed by `read`."""
        self._job = job
        self._send({"do": "job", **message_of(job)})

    def stop(self) -> None:
        self._send({"do": "stop"})

    def read(self) -> list[Event]:
        try:
            data = self._socket.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        events: list[Event] = [_event(message) for message in self._lines.feed(data)]
        if events:
            self._job = None
        if not data:
            if self._job is not None and (ended := read_end(self._job.paths, self._job.nonce)) is not None:
                events.append(ended)
            events.append(RunnerGone())
        return events

    def close(self) -> None:
        """Let the keeper end and wait for it, so that its GPU's lease is free on return."""
        self._socket.close()
        if self._pidfd is not None:
            poller = select.poll()
            poller.register(self._pidfd, select.POLLIN)
            poller.poll()
            os.close(self._pidfd)
        self._server.forget(self._pid)

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._socket.sendall(Lines.encode(message))
        except (BrokenPipeError, ConnectionResetError):
            return


class AdoptedRunner:
    """A runner whose keeper an earlier scheduler started: to be awaited or stopped, not given another job."""

    def __init__(self, running: Running, paths: TaskPaths, pidfd: int) -> None:
        self._running = running
        self._paths = paths
        self._pidfd = pidfd

    def fileno(self) -> int:
        return self._pidfd

    def start(self, job: Job) -> None:
        raise RuntimeError("an adopted runner takes no job")

    def stop(self) -> None:
        try:
            signal.pidfd_send_signal(self._pidfd, signal.SIGTERM)
        except ProcessLookupError:
            return

    def read(self) -> list[Event]:
        ended = read_end(self._paths, self._running.nonce)
        return [ended, RunnerGone()] if ended is not None else [RunnerGone()]

    def close(self) -> None:
        os.close(self._pidfd)


class LocalExecutor:
    """This machine."""

    name = NAME

    def __init__(self) -> None:
        self._server = ForkServer()

    def capacity(self) -> None:
        return None

    def root_for(self, workdir: Path, nonce: str) -> Path:
        return workdir

    def open_runner(self, lease: int | None) -> Runner:
        try:
            return KeptRunner(self._server, lease)
        except ConnectionError:  # somebody has killed the server
            self._server.close()
            self._server = ForkServer()
            return KeptRunner(self._server, lease)

    def adopt(self, running: Running, paths: TaskPaths) -> Runner | Ended | None:
        return adopt_here(running, paths)

    def drain(self) -> None:
        return

    def clean_up(self, paths: TaskPaths, nonce: str) -> list[int]:
        return end_attempt(nonce, [*orphans_of(paths, nonce), *self._server.strays()])

    def close(self) -> None:
        self._server.close()


def adopt_here(running: Running, paths: TaskPaths) -> Runner | Ended | None:
    """Return the runner of an attempt whose keeper runs on this machine, or how it ended; None if it left no word."""
    try:
        pidfd = os.pidfd_open(running.keeper_pid)
    except ProcessLookupError:
        return read_end(paths, running.nonce)
    if not is_alive(running.keeper_pid, running.keeper_create_time, running.keeper_identity):
        os.close(pidfd)  # another process has got the number
        return read_end(paths, running.nonce)
    return AdoptedRunner(running, paths, pidfd)


def read_end(paths: TaskPaths, nonce: str) -> Ended | None:
    """Return how an attempt ended, None if its keeper has left no word of it."""
    try:
        ended = read_exit(paths.exit)
        begun = read_running(paths.running)
    except (DamagedMarker, OSError):
        return None
    if ended is None or begun is None or not ended.nonce == begun.nonce == nonce:
        return None
    return Ended(ended, begun)


def message_of(job: Job) -> dict[str, Any]:
    """Return the message by which a keeper starts a job."""
    paths = job.paths
    return {
        "argv": list(job.argv),
        "env": dict(job.env),
        "cwd": job.cwd,
        "running_file": str(paths.running),
        "exit_file": str(paths.exit),
        "log": str(paths.log),
        "old_log": str(job.old_log),
        "results": str(paths.results),
        "sentinel": job.sentinel,
        "imports": list(job.imports),
        "timeout": job.timeout,
        "stall_timeout": job.stall_timeout,
        "grace": job.grace,
        "beat": heartbeat.BEAT,
        "running": {
            "task": job.task.id,
            "host": HOST,
            "gpu": job.gpu,
            "attempt": job.attempt,
            "nonce": job.nonce,
            "executor": job.executor,
            "job_id": job.job_id,
            "batch_size": job.batch_size,
            "digest": job.task.digest,
        },
    }


def _event(message: dict[str, Any]) -> Event:
    if message["event"] == "ended":
        return Ended(_known(Exit, message["exit"]), _known(Running, message["running"]))
    return NoStorage(message["message"])


def _known(kind: type[Known], values: dict[str, Any]) -> Known:
    """Return the marker that a keeper sent; fields that this version does not know are dropped."""
    return kind(**{name: values[name] for name in kind.__dataclass_fields__ if name in values})
