"""Run one attempt of a task: start the worker, watch it, clean up after it, leave its `.exit` marker."""

import contextlib
import os
import select
import signal
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from accsearch.checkpoint.process import process_create_time, process_identity
from accsearch.errors import StorageError
from accsearch.keeper.child import Child, fork
from accsearch.keeper.leftovers import end_descendants
from accsearch.keeper.log import Log, redactor
from accsearch.keeper.watchdog import Watchdog
from accsearch.redact import secrets_of
from accsearch.workdir import write_json

CHUNK = 1 << 16
DRAIN = 1 << 20
"""Bytes read at most after the worker's end: whoever still writes then is not the worker."""


class Attempt:
    """One worker from its start to its end; the keeper feeds it events and time."""

    def __init__(self, job: Mapping[str, Any], now: float) -> None:
        self.job = job
        self.reason: str | None = None
        self._begun = now
        self._kill_at: float | None = None
        env = {**os.environ, **job["env"]}
        rotate(Path(job["log"]), job["old_log"])
        self._log = Log(Path(job["log"]), redactor(secrets_of(env)))
        self.output, output = os.pipe()
        os.set_blocking(self.output, False)
        self.child: Child = fork(job["argv"], env, job["cwd"], output)
        os.close(output)
        self._watchdog = Watchdog(job["timeout"], job["stall_timeout"], self._progress, now)
        self._announce()

    def _announce(self) -> None:
        """Write `.running` before the worker begins: none ever runs unrecorded."""
        self.running = {
            **self.job["running"],
            "pid": self.child.pid,
            "create_time": process_create_time(self.child.pid),
            "keeper_pid": os.getpid(),
            "keeper_create_time": process_create_time(os.getpid()),
            "identity": process_identity(self.child.pid),
            "keeper_identity": process_identity(os.getpid()),
            "started_at": utc_now(),
        }
        try:
            write_json(Path(self.job["running_file"]), self.running, durable=False)
        except StorageError:
            self.child.kill()
            raise

    def begin(self) -> None:
        """Let the worker begin."""
        self.child.begin()

    def cancel(self) -> None:
        """Undo the start of a worker that has not begun."""
        self.child.kill()
        Path(self.job["running_file"]).unlink(missing_ok=True)
        self._log.close()

    def _progress(self) -> tuple[int, ...]:
        size = written = 0
        with contextlib.suppress(OSError):
            size = os.stat(self.job["results"]).st_size  # noqa: PTH116
        with contextlib.suppress(OSError, ValueError):
            text = Path(f"/proc/{self.child.pid}/io").read_text()
            written = int(text.split("\nwrite_bytes: ")[1].split("\n")[0])
        return size, written

    def register(self, poller: select.poll) -> None:
        poller.register(self.output, select.POLLIN)
        poller.register(self.child.pidfd, select.POLLIN)

    def read_output(self, poller: select.poll, now: float) -> None:
        """Take what the worker has printed; a closed pipe is no longer watched."""
        try:
            data = os.read(self.output, CHUNK)
        except BlockingIOError:
            return
        if not data:
            poller.unregister(self.output)
            return
        self._watchdog.heard(now)
        self._log.feed(data, now)

    def stop(self, reason: str, now: float) -> None:
        """Ask the worker to end; `step` kills it when the grace period is over."""
        if self.reason is None:
            self.reason = reason
            self._kill_at = now + self.job["grace"]
            self.child.send(signal.SIGTERM)

    def step(self, now: float) -> float | None:
        """Act on deadlines; return in how many seconds to call again, None for never."""
        if self.reason is None:
            verdict = self._watchdog.verdict(now)
            if verdict is None:
                return self._watchdog.next_check(now)
            self.stop(verdict, now)
        if self._kill_at is None:
            return None
        if now < self._kill_at:
            return self._kill_at - now
        self.child.send(signal.SIGKILL)
        self._kill_at = None
        return None

    def finish(self) -> dict[str, Any]:
        """Reap the ended worker, end what it left behind, write `.exit`; return its content.

        Raises StorageError if the log or the marker could not be written.
        """
        status = os.waitstatus_to_exitcode(os.waitpid(self.child.pid, 0)[1])
        seconds = time.monotonic() - self._begun
        message = self.child.reason_not_started()
        left = end_descendants(self.job["grace"])
        self._drain()
        if message is not None:
            self._log.feed(f"accsearch: {message}\n".encode(), time.monotonic())
        self._log.close()
        os.close(self.output)
        self.child.close()
        ended = {
            "attempt": self.job["running"]["attempt"],
            "nonce": self.job["running"]["nonce"],
            "exit_code": status if status >= 0 else None,
            "signal": -status if status < 0 else None,
            "finished_at": utc_now(),
            "seconds": seconds,
            "reason": "config" if message is not None else self.reason,
            "message": message,
            "unkillable": left,
        }
        if self._log.error is not None:
            raise StorageError(f"{self._log.path}: {self._log.error.strerror}")
        write_json(Path(self.job["exit_file"]), ended, durable=False)
        return ended

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            for _ in range(DRAIN // CHUNK):
                data = os.read(self.output, CHUNK)
                if not data:
                    break
                self._log.feed(data, time.monotonic())


def rotate(log: Path, old: str | None) -> None:
    """Keep the log of an earlier attempt under its own name."""
    if old is not None:
        with contextlib.suppress(FileNotFoundError):
            os.rename(log, old)  # noqa: PTH104


def utc_now() -> str:
    """Return the time as the markers write it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
