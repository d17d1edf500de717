"""The node's end of a runner on a cluster: runs jobs with a keeper of this node, and hands over what they write.

Each attempt has a work directory of its own, named by its nonce, in a local folder of the node. It outlives the agent
as the keeper does, so that a later agent can take both up.
"""

import contextlib
import select
import shutil
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from accsearch.checkpoint.markers import DamagedMarker, read_running
from accsearch.cores import thread_settings
from accsearch.errors import StorageError
from accsearch.executors.copied_files import Piece, Source
from accsearch.executors.executor import Ended, Event, Job, NoStorage, Runner, RunnerGone
from accsearch.executors.local import LocalExecutor
from accsearch.executors.orphans import end_attempt
from accsearch.gpus.node_gpu import NodeGpu, NodeLimits
from accsearch.gpus.pinning import pinned
from accsearch.workdir import TaskPaths, WorkDir

PREFIX = "accsearch-attempt-"
"""How the name of an attempt's folder begins; its nonce follows."""
OWNER = "owner"
"""File in it that names the work directory."""
LOOK = 0.25
"""Seconds between two looks at files that may have grown."""


@dataclass(frozen=True, slots=True)
class News:
    """What has come of an attempt since the last question."""

    running: bytes | None
    """The content of `T.running`, where it has changed."""
    pieces: list[Piece]
    event: Event | None
    """Given once, after the last piece."""


@dataclass(frozen=True, slots=True)
class Order:
    """A job with what its node needs of the work directory; `interpreter` is the scheduler's own Python."""

    job: Job
    owner: str
    """The work directory, with its host."""
    config: str
    plan: bytes
    results: bytes
    interpreter: str
    threads: int | None
    """What a worker without a GPU computes with."""


def root_of(scratch: Path, nonce: str) -> Path:
    """Return the work directory of an attempt on its node."""
    return scratch / f"{PREFIX}{nonce}"


def attempts_in(scratch: Path) -> dict[str, str]:
    """Return the attempts (nonces) that have left something on this node, each with its work directory."""
    found = {}
    for folder in scratch.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # another user's, or not complete
            found[folder.name.removeprefix(PREFIX)] = (folder / OWNER).read_text()
    return found


def end_and_remove(scratch: Path, nonce: str) -> list[int]:
    """End what is left of an attempt on this node and remove its folder; return the pids that could not be ended."""
    left = end_attempt(nonce)
    if not left:
        shutil.rmtree(root_of(scratch, nonce), ignore_errors=True)
    return left


class NodeAgent:
    """Runs one job at a time; `stop` may be called while another call is being served."""

    def __init__(self, scratch: Path, limits: NodeLimits | None) -> None:
        """Keep attempts in `scratch`; with `limits`, use the GPU that this process was given."""
        self._scratch = scratch
        self._executor = LocalExecutor()
        self._gpu = NodeGpu(limits) if limits is not None else None
        self._runner: Runner | None = None
        self._root: Path | None = None
        self._paths: TaskPaths | None = None
        self._source: Source | None = None
        self._running: bytes | None = None
        self._event: Event | None = None
        self._stopped = threading.Event()

    def start(self, order: Order) -> str | None:
        """Start the job's worker; return why that cannot be now, None if it is done."""
        self._stopped.clear()
        self._discard()
        if self._gpu is not None:
            why = self._gpu.reserve(root_of(self._scratch, order.job.nonce), self._stopped.is_set)
            if why is not None:
                self._close_runner()  # its keeper holds the lease, too
                return why
        if self._stopped.is_set():
            return "stopped"
        try:
            job = self._prepare(order)
            if self._runner is None:
                self._runner = self._executor.open_runner(None if self._gpu is None else self._gpu.lease)
        except (OSError, StorageError) as error:
            self._discard()
            return str(error)
        self._source = Source(job.paths, {"results": len(order.results)})
        self._runner.start(job)
        if self._stopped.is_set():  # meanwhile
            self._runner.stop()
        return None

    def adopt(self, config: str, task: str, nonce: str, have: Mapping[str, int]) -> bool:
        """Take up an attempt that an earlier agent started here; return False if its keeper has left no word."""
        root = root_of(self._scratch, nonce)
        paths = WorkDir(root).task(config, task)
        try:
            running = read_running(paths.running)
        except DamagedMarker:
            running = None
        adopted = None if running is None or running.nonce != nonce else self._executor.adopt(running, paths)
        self._root, self._paths = root, paths
        if adopted is None:
            self._executor.clean_up(paths, nonce)
            self._discard()
            return False
        self._source = Source(paths, have)
        if isinstance(adopted, Ended):
            self._event = adopted
        else:
            self._runner = adopted
        return True

    def poll(self, wait: float) -> News:
        """Return what has happened, after `wait` seconds at the latest."""
        assert self._paths is not None and self._source is not None
        give_up_at = time.monotonic() + wait
        while True:
            self._read_runner(min(LOOK, max(0.0, give_up_at - time.monotonic())))
            running = self._new_marker(self._paths.running)
            # Taken after the event was read, so that with nothing new all of the attempt has been sent.
            pieces = self._source.pieces()
            if self._event is not None and not pieces:
                event, self._event = self._event, None
                return News(running, [], event)
            if pieces or running is not None or time.monotonic() >= give_up_at:
                return News(running, pieces, None)

    def stop(self) -> None:
        """Ask the worker to end; one that is not started yet will not be."""
        self._stopped.set()
        runner = self._runner
        if runner is not None:
            runner.stop()

    def close(self) -> None:
        """Let the idle keeper and the GPU go, and remove what has been handed over."""
        self._discard()
        self._close_runner()
        if self._gpu is not None:
            self._gpu.close()
        self._executor.close()

    def _prepare(self, order: Order) -> Job:
        """Make the attempt's work directory; return the job as it is on this node. Raises OSError."""
        job = order.job
        self._root = root_of(self._scratch, job.nonce)
        self._root.mkdir(mode=0o700, parents=True)
        (self._root / OWNER).write_text(order.owner)
        workdir = WorkDir(self._root)
        workdir.create(order.config)
        workdir.plan(order.config).write_bytes(order.plan)
        self._paths = workdir.task(order.config, job.task.id)
        if order.results:
            self._paths.results.write_bytes(order.results)
        self._running = None
        env = dict(job.env)
        if self._gpu is not None:
            env |= pinned(self._gpu.uuid)
        elif order.threads is not None:
            env |= thread_settings(order.threads, env)
        program, *arguments = job.argv
        return replace(
            job,
            # The same Python, which is not at the same path on every node.
            argv=[sys.executable if program == order.interpreter else program, *arguments],
            env=env,
            cwd=job.cwd if Path(job.cwd).is_dir() else str(self._root),
            paths=self._paths,
            old_log=self._paths.log.with_suffix(".old"),
            gpu=None if self._gpu is None else self._gpu.uuid,
        )

    def _read_runner(self, wait: float) -> None:
        if self._runner is None or self._event is not None:
            return
        if not select.select([self._runner], [], [], wait)[0]:
            return
        for event in self._runner.read():
            if self._event is None:
                self._event = event
            if isinstance(event, RunnerGone | NoStorage):
                self._close_runner()
                break
        if isinstance(self._event, RunnerGone) and self._root is not None and self._paths is not None:
            nonce = self._root.name.removeprefix(PREFIX)
            if left := self._executor.clean_up(self._paths, nonce):
                self._event = RunnerGone(f"its keeper died, and its processes {left} cannot be ended")

    def _new_marker(self, path: Path) -> bytes | None:
        try:
            found = path.read_bytes()
        except FileNotFoundError:
            return None
        if found == self._running or not found.strip():
            return None
        self._running = found
        return found

    def _close_runner(self) -> None:
        if self._runner is not None:
            self._runner.close()
            self._runner = None

    def _discard(self) -> None:
        """Remove the folder of an attempt that is over and handed over, or could not be started."""
        if self._root is not None and self._event is None:
            shutil.rmtree(self._root, ignore_errors=True)
        self._root = self._paths = self._source = None
