"""How an attempt stands that is a job of Slurm: by its keeper's files, and by what Slurm says where they are silent."""

import contextlib
from pathlib import Path

from accsearch.checkpoint import heartbeat
from accsearch.checkpoint.heartbeat import Watch, is_owned
from accsearch.checkpoint.markers import SUBMITTED, DamagedMarker, Running, read_running
from accsearch.executors.executor import Ended, Returned
from accsearch.executors.local import read_end
from accsearch.executors.slurm_job import UNSEEN, QueueEntry, claim_of, clear, output_of, returned_of
from accsearch.workdir import TaskPaths, read_json

SETTLED = 2.0
"""Signs of life that must be missing until a keeper is taken for ended whose job Slurm itself has ended."""
_HOW = {
    "CANCELLED": "was cancelled",
    "NODE_FAIL": "has lost its node",
    "PREEMPTED": "was preempted",
    "TIMEOUT": "has reached its time limit",
}


class SlurmAttempt:
    """An attempt that a job of Slurm is to run, or runs; times are monotonic seconds."""

    def __init__(self, job_id: str, nonce: str, paths: TaskPaths, jobs: Path) -> None:
        array, _, index = job_id.partition("_")
        self.job_id = job_id
        self.paths = paths
        self._nonce = nonce
        self._file = jobs / array / f"{index}.json"
        self._watch = Watch()
        self._entry: QueueEntry | None = None
        self._over_since: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether Slurm says that the job has ended, or knows it no more."""
        return self._over_since is not None

    def hear(self, entry: QueueEntry | None, now: float) -> None:
        """Take note of what Slurm says of the job, None if it does not know it."""
        self._entry = entry
        if entry is not None and not entry.is_over:
            self._over_since = None
        elif self._over_since is None:
            self._over_since = now

    def look(self, now: float) -> Ended | Returned | None:
        """Return how the attempt has ended, None while it has not, or may not have."""
        ended = read_end(self.paths, self._nonce)
        if ended is not None:
            return ended
        with contextlib.suppress(OSError, ValueError):
            returned = read_json(returned_of(self._file, self._nonce))
            if returned is not None:
                return Returned(returned["why"])
        if self._over_since is None:
            return None
        if not is_owned(self.paths.running, self._nonce):
            return Returned(f"job {self.job_id} was freed", started=True)
        running = self._running()
        if running is None:
            return None
        if running.pid == SUBMITTED:
            return self._unstarted(now - self._over_since)
        silence = self._watch.look_at_task(self.paths, now)
        if silence < self._patience():
            return None
        return Returned(f"{self._why()}{self._last_words() if self._has_failed() else ''}", started=True)

    def clear(self) -> None:
        """Remove the files of the job; a start that comes after this finds nothing to run."""
        clear(self._file)

    def _unstarted(self, seconds: float) -> Returned | None:
        """Return what becomes of an attempt whose keeper has written nothing, so long after its job was over."""
        never = self._entry is not None and not self._entry.node
        if not never and seconds < self._patience():
            return None
        if never or not (self._has_failed() or claim_of(self._file, self._nonce).exists()):
            return Returned(self._why())
        return Returned(f"{self._why()}{self._last_words()}", started=True)

    def _has_failed(self) -> bool:
        """Return whether the job has ended by itself, which it does not before its keeper has written `T.exit`."""
        return self._entry is not None and self._entry.state not in (*UNSEEN, "CANCELLED", "PREEMPTED")

    def _patience(self) -> float:
        """Return for how long there must be no sign of life.

        Where Slurm has lost sight of the node the keeper may be alive; elsewhere Slurm has ended it.
        """
        unseen = self._entry is None or self._entry.state in UNSEEN
        return heartbeat.SILENCE if unseen else SETTLED * heartbeat.BEAT

    def _why(self) -> str:
        if self._entry is None:
            return f"job {self.job_id} is not known to Slurm any more"
        how = _HOW.get(self._entry.state, f"has ended ({self._entry.state.lower()})")
        return f"job {self.job_id} {how}{f' ({self._entry.node})' if self._entry.node else ''}"

    def _last_words(self) -> str:
        """Return the last line that the job printed."""
        try:
            lines = output_of(self._file).read_text(errors="replace").split("\n")
        except OSError:
            return ""
        said = [line.strip() for line in lines if line.strip()]
        return f": {said[-1]}" if said else ""

    def _running(self) -> Running | None:
        try:
            return read_running(self.paths.running)
        except (DamagedMarker, OSError):  # is being written, or the disk is away
            return None
