"""Run one attempt of a task: start the worker, watch it, clean up after it, leave its `.exit` marker."""

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from accsearch.checkpoint.heartbeat import is_owned, renew, with_beat
from accsearch.errors import StorageError
from accsearch.executors.messages import LAUNCHED
from accsearch.keeper.child import CANNOT_START, Child, spawn, why_not_started
from accsearch.keeper.leftovers import end_descendants
from accsearch.keeper.log import Log, redactor
from accsearch.keeper.warm import WarmProcess
from accsearch.keeper.watchdog import Watchdog
from accsearch.process_identity import process_create_time, process_identity
from accsearch.process_tree import descendants
from accsearch.redact import secrets_of
from accsearch.workdir import write_atomic, write_json

CHUNK = 1 << 16
ROOM = 64
"""Spaces at the end of `.running`, so that the worker's numbers fit in the place of the keeper's."""
NOT_FORKED = (
    "this worker imports what it needs itself, since the process that it was to be forked from gave none"
)
NONE_STAYS = "the next worker of this slot imports what it needs anew, since this process could not be forked"
DRAIN = 1 << 20
"""Bytes read at most after the worker's end: whoever still writes then is not the worker."""


class Attempt:
    """One worker from its start to its end; the keeper feeds it events and time.

    While it `is_forked` the worker is awaited from the warm process, and there is no `child` yet.
    """

    def __init__(self, job: Mapping[str, Any], now: float, warm: WarmProcess) -> None:
        self.job = job
        self.is_forked = False
        self._warm = warm
        self.running: dict[str, Any] = {}
        self.child: Child | None = None
        self._reason: str | None = None
        self._message: str | None = None
        self._begun = now
        self._started_at = utc_now()
        self._kill_at: float | None = None
        self._marker_size = 0
        self._marker = Path(job["running_file"])
        self._nonce: str = job["running"]["nonce"]
        self._beats = 0
        self._beat_at = now + job["beat"]
        self._lost = False
        self._env = {**os.environ, **job["env"], LAUNCHED: repr(now)}
        rotate(Path(job["log"]), job["old_log"])
        mask = redactor(secrets_of(self._env, job["argv"]))
        self._log = Log(Path(job["log"]), mask, sentinel=job["sentinel"])
        self.output, self._input = os.pipe()
        os.set_blocking(self.output, False)

    def announce(self) -> None:
        """Write `.running` before there is a worker, in the keeper's name: none ever runs unrecorded.

        Should all die now, the next scheduler finds what was started by the nonce in its environment.
        """
        data = self._running_of(os.getpid())
        self._marker_size = len(data) + ROOM
        write_atomic(self._marker, data.ljust(self._marker_size), durable=False)

    def begin(self) -> None:
        """Start the worker, or ask for it if `is_forked` afterwards.

        With neither that nor a `child` it could not be started, and `finish` is next. Raises StorageError.
        """
        self._watchdog = Watchdog(self.job["timeout"], self.job["stall_timeout"], self._progress, self._begun)
        with contextlib.suppress(OSError, ValueError):  # which the start of a program of its own meets too
            self.is_forked = self._warm.ask(self.job, self._env, self._input)
        if not self.is_forked:
            self._start_program()

    def take_forked(self) -> None:
        """Take the worker from the warm process, or start it anew; afterwards all is as after `begin`."""
        self.is_forked = False
        self.child = self._warm.take()
        if self.child is not None:
            os.close(self._input)
            self._record_child()
            if self._warm.pid is None:
                self._note(f"{NONE_STAYS}: {self._warm.why_none}")
            self._warm.release()
        elif self._reason is not None or self._lost:
            os.close(self._input)  # ended before it began
        else:
            self._note(f"{NOT_FORKED}: {self._warm.why_none}")
            self._start_program()

    def _start_program(self) -> None:
        try:
            self.child = spawn(self.job["argv"], self._env, self.job["cwd"], self._input)
        except (OSError, ValueError) as error:
            self._reason = "config"
            self._message = why_not_started(self.job["argv"][0], self.job["cwd"], error)
            return
        finally:
            os.close(self._input)
        self._record_child()

    def _record_child(self) -> None:
        assert self.child is not None
        try:
            self._amend(self._running_of(self.child.pid))
        except StorageError:
            self.child.send(signal.SIGKILL)  # whose start cannot be recorded must not run
            self.child.reap()
            end_descendants(0, self._warm.pid)
            raise

    def cancel(self) -> None:
        """Undo `announce`."""
        self._marker.unlink(missing_ok=True)

    def _amend(self, data: bytes) -> None:
        """Overwrite `.running` in place. Raises StorageError."""
        try:
            ours = renew(self._marker, self._nonce, data.ljust(self._marker_size))
        except OSError as error:
            raise StorageError(f"{self._marker}: {error.strerror}") from error
        if not ours:
            raise StorageError(f"{self._marker}: removed, or another attempt's")

    def _beat(self, now: float) -> None:
        """Give a sign of life, or end the worker at once if another host has taken its task over."""
        self._beat_at = now + self.job["beat"]
        self._beats += 1
        data = with_beat(self.running, self._beats).ljust(self._marker_size)
        with contextlib.suppress(OSError):  # who cannot tell goes on
            self._lost = not renew(self._marker, self._nonce, data)
        if self._lost:
            self._kill()

    def _running_of(self, pid: int) -> bytes:
        self.running = {
            **self.job["running"],
            "pid": pid,
            "create_time": process_create_time(pid),
            "identity": process_identity(pid),
            **self.job["keeper"],
            "started_at": self._started_at,
        }
        return with_beat(self.running, self._beats)

    def _progress(self) -> tuple[int, ...]:
        size = written = 0
        with contextlib.suppress(OSError):
            size = os.stat(self.job["results"]).st_size  # noqa: PTH116
        # A download may be the work of a child.
        for pid in descendants(os.getpid()):
            with contextlib.suppress(OSError, ValueError):
                text = Path(f"/proc/{pid}/io").read_text()
                written += int(text.split("\nwrite_bytes: ")[1].split("\n")[0])
        return size, written

    def read_output(self, now: float) -> bool:
        """Take what the worker has printed; return False once nobody can print any more."""
        try:
            data = os.read(self.output, CHUNK)
        except BlockingIOError:
            return True
        if data:
            self._watchdog.heard(now)
            self._log.feed(data, now)
        return bool(data)

    def stop(self, reason: str, now: float) -> None:
        """Ask the worker to end; `step` kills it when the grace period is over."""
        if self._reason is not None:
            return
        if self.child is not None:
            self._reason = reason
            self._kill_at = now + self.job["grace"]
            self.child.send(signal.SIGTERM)
        elif self.is_forked:
            self._reason = reason
            self._warm.interrupt()

    def step(self, now: float) -> float:
        """Act on deadlines; return in how many seconds to call again."""
        if now >= self._beat_at:
            self._beat(now)
        wait = self._watch(now)
        beat: float = self._beat_at - now
        return beat if wait is None else min(wait, beat)

    def _watch(self, now: float) -> float | None:
        """Act on the deadlines of the worker; return in how many seconds the next one is, None without one."""
        if self._reason is None:
            verdict = self._watchdog.verdict(now)
            if verdict is None:
                return self._watchdog.next_check(now)
            self.stop(verdict, now)
        if self._kill_at is None:
            return None
        if now < self._kill_at:
            return self._kill_at - now
        self._kill()
        self._kill_at = None
        return None

    def _kill(self) -> None:
        if self.child is not None:
            self.child.send(signal.SIGKILL)
        elif self.is_forked:
            self._warm.interrupt()

    def finish(self) -> dict[str, Any] | None:
        """Reap the ended worker, end what it left behind, write `.exit`; return its content.

        Returns None, and writes nothing, if the task is another attempt's by now. Raises StorageError if
        the log or the marker could not be written.
        """
        if self.child is not None:
            status = self.child.reap()
        else:
            status = -signal.SIGTERM if self._message is None else CANNOT_START
        seconds = time.monotonic() - self._begun
        left = end_descendants(0.0 if self._lost else self.job["grace"], self._warm.pid)
        self._drain()
        if self._message is not None:
            self._note(self._message)
        self._log.close()
        os.close(self.output)
        ended = {
            "attempt": self.job["running"]["attempt"],
            "nonce": self.job["running"]["nonce"],
            "exit_code": status if status >= 0 else None,
            "signal": -status if status < 0 else None,
            "finished_at": utc_now(),
            "seconds": seconds,
            "reason": self._reason,
            "message": self._message,
            "unkillable": left,
        }
        if self._log.error is not None:
            raise StorageError(f"{self._log.path}: {self._log.error.strerror}")
        if not is_owned(self._marker, self._nonce):
            return None
        write_json(Path(self.job["exit_file"]), ended, durable=False)
        return ended

    def _note(self, text: str) -> None:
        self._log.feed(f"accsearch: {text}\n".encode(), time.monotonic())

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
