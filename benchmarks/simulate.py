"""A run of 100,000 tasks on 1,000 GPUs: the scheduler is real, the cluster is simulated, and waiting takes no time.

    PYTHONPATH=. python benchmarks/simulate.py [--tasks N] [--gpus N] [--harm 1] [--preempted 0.1] [--folder FOLDER]

The loop, the backlog, the policy and the markers are those of `accsearch run`. The clock, the selector and the executor
are simulated: an attempt takes the time that its task needs, nodes fail, and jobs are preempted. A task consists of
trials; an attempt that is cut short is repeated from the first trial that it had not finished.

Rates are constants below, each with its source; nodes fail `--harm` times as often. Prints what the scheduler took
(seconds, memory) and what the cluster lost (work that was repeated, idle GPUs).
"""

import argparse
import os
import random
import resource
import socket
import statistics
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.scheduler.fake_executor import WHEN, running_of
from tests.scheduler.timeline import Timeline

from accsearch.checkpoint.audit import audit
from accsearch.checkpoint.heartbeat import Watch
from accsearch.checkpoint.markers import Exit, Running
from accsearch.config.load import build_config
from accsearch.executors.executor import Ended, Event, Job, RunnerGone
from accsearch.grid import expand
from accsearch.scheduler.backlog import Backlog
from accsearch.scheduler.durations import TimeModel
from accsearch.scheduler.foreign import ForeignAttempts
from accsearch.scheduler.interrupts import Signals
from accsearch.scheduler.lock import locked
from accsearch.scheduler.loop import Loop
from accsearch.scheduler.options import Silent
from accsearch.scheduler.policy import Streak, Tries
from accsearch.scheduler.settling import Settling
from accsearch.scheduler.slots.cpu_slots import CpuSlots
from accsearch.scheduler.slots.queued import QueuedTask
from accsearch.workdir import TaskPaths, WorkDir

NODE = 8
"""GPUs of a node."""
NODE_LIFE = 47.7 * 86400
"""Seconds until a node fails a job, on average: jobs of 8 GPUs on a cluster of 16,000 A100 (Kokolis et al., Revisiting
Reliability in Large-Scale Machine Learning Research Clusters, HPCA 2025, arXiv 2410.21680). Hardware alone fails less
often: 6.5 times in 1,000 node-days there, 419 times in 54 days on 16,384 H100 (The Llama 3 Herd of Models, 2024,
arXiv 2407.21783), which is once in 264 days for a node."""
REPAIR = 4 * 3600.0
"""Seconds for which a node that has failed is away; an assumption."""
FAILED = 0.02
"""Share of attempts that fail by the task's own fault; an assumption."""
START = 30.0
"""Seconds of an attempt before its first trial: imports, models, the queue."""
TRIALS = 20
MEDIAN, SPREAD = 1200.0, 0.5
"""Median of the seconds that a task takes, and the deviation of their logarithm that the axes do not explain."""


@dataclass
class Losses:
    """What became of the GPUs' time, in seconds."""

    useful: float = 0.0
    repeated: float = 0.0
    """Spent on trials that were cut short, and on starts after the first."""
    ends: Counter[str] = field(default_factory=Counter)


class Gpu:
    """One GPU of the simulated cluster, as a runner: its descriptor is readable when an attempt is over."""

    def __init__(self, cluster: "Cluster", node: int) -> None:
        self._cluster = cluster
        self.node = node
        self._ready = os.eventfd(0, os.EFD_NONBLOCK)
        self._events: list[Event] = []
        self.job: Job | None = None
        self.began = 0.0

    def fileno(self) -> int:
        return self._ready

    def start(self, job: Job) -> None:
        self.job = job
        self._cluster.start(self, job)

    def stop(self) -> None:
        raise NotImplementedError("nobody stops a simulated run")

    def read(self) -> list[Event]:
        os.eventfd_read(self._ready)
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        os.close(self._ready)

    def end(self, *events: Event) -> None:
        """Let the loop know how the attempt ended."""
        self.job = None
        self._events += events
        os.eventfd_write(self._ready, 1)


class Cluster:
    """The executor of the simulation: nodes of eight GPUs that fail, and jobs that are preempted."""

    name = "simulated"

    def __init__(self, timeline: Timeline, arguments: argparse.Namespace, median_steps: float) -> None:
        self.losses = Losses()
        self.lengths: dict[str, float] = {}
        self._timeline = timeline
        self._harm = arguments.harm
        self._preempted = arguments.preempted
        self._gpus: int = arguments.gpus
        self._median_steps = median_steps
        self._draw = random.Random(arguments.seed)
        self._nodes: list[list[Gpu]] = [[] for _ in range(-(-self._gpus // NODE))]
        self._back_at = [0.0] * len(self._nodes)
        self._left: dict[str, float] = {}
        for node in range(len(self._nodes)):
            self._plan_failure(node)

    def open_runner(self, lease: int | None) -> Gpu:
        node = min(range(len(self._nodes)), key=lambda each: len(self._nodes[each]))
        gpu = Gpu(self, node)
        self._nodes[node].append(gpu)
        return gpu

    def adopt(self, running: Running, paths: TaskPaths) -> None:
        return None

    def capacity(self) -> int:
        return self._gpus

    def root_for(self, workdir: Path, nonce: str) -> Path:
        return workdir

    def drain(self) -> None:
        return

    def clean_up(self, paths: TaskPaths, nonce: str) -> list[int]:
        return []

    def close(self) -> None:
        return

    def start(self, gpu: Gpu, job: Job) -> None:
        """Plan how an attempt goes."""
        now = self._timeline.now
        gpu.began = max(now, self._back_at[gpu.node])  # queued while the node is away
        left = self._left.setdefault(job.task.id, self._length(job))
        seconds, how = START + left, "done"
        if (chance := self._draw.random()) < FAILED:
            seconds, how = self._draw.random() * seconds, "failed"
        elif chance < FAILED + self._preempted:
            seconds, how = self._draw.random() * seconds, "preempted"
        self._timeline.after(gpu.began + seconds - now, lambda: self._end(gpu, job, how))

    def _length(self, job: Job) -> float:
        """Return how long a task takes: by its steps, its pipeline, and by chance."""
        axes = job.task.axes
        explained = float(axes["steps"]) / self._median_steps * (1 + float(str(axes["pipe"])[1:]) / 10) / 1.45
        seconds = MEDIAN * explained * self._draw.lognormvariate(0, SPREAD)
        self.lengths[job.task.id] = seconds
        return seconds

    def _end(self, gpu: Gpu, job: Job, how: str) -> None:
        if gpu.job is not job:
            return  # its node has failed meanwhile
        self._account(gpu, job, how)
        log = f"{job.sentinel}\n" if how == "done" else "ValueError: not converged\n"
        job.paths.log.write_text(log)
        code = {"done": 0, "failed": 1}.get(how)
        ended = Exit(
            attempt=job.attempt, nonce=job.nonce, finished_at=WHEN, exit_code=code,
            seconds=self._timeline.now - gpu.began, reason="stopped" if how == "preempted" else None,
        )  # fmt: skip
        gpu.end(Ended(ended, running_of(job)))

    def _account(self, gpu: Gpu, job: Job, how: str) -> None:
        """Keep what the attempt has finished: whole trials."""
        spent = max(0.0, self._timeline.now - gpu.began)
        left = self._left[job.task.id]
        trial = self.lengths[job.task.id] / TRIALS
        kept = left if how == "done" else min(left, max(0.0, spent - START) // trial * trial)
        self._left[job.task.id] = left - kept
        self.losses.useful += kept
        self.losses.repeated += spent - kept - (START if job.attempt == 1 and spent >= START else 0.0)
        self.losses.ends[how] += 1

    def _plan_failure(self, node: int) -> None:
        after = self._draw.expovariate(self._harm / NODE_LIFE)
        self._timeline.after(after, lambda: self._fail(node))

    def _fail(self, node: int) -> None:
        self._back_at[node] = self._timeline.now + REPAIR
        for gpu in self._nodes[node]:
            if gpu.job is not None:
                self._account(gpu, gpu.job, "node failed")
                gpu.end(RunnerGone())
        self._nodes[node] = []  # the loop opens new runners
        self._plan_failure(node)


def simulate(arguments: argparse.Namespace, folder: Path) -> None:
    """Run the grid once and print what it took."""
    began = time.monotonic()
    pipes, samplers = 10, 20
    steps = -(-arguments.tasks // (pipes * samplers))
    config = build_config(
        {
            "name": "c",
            "grid": {
                "pipe": [f"p{number}" for number in range(pipes)],
                "sched": [f"s{number}" for number in range(samplers)],
                "steps": [10 + number for number in range(steps)],
            },
            "worker": {"kind": "command", "command": ["true", "{pipe}", "{sched}", "{steps}"]},
        }
    )
    workdir = WorkDir(folder)
    workdir.create("c")
    grid = expand(config)
    tasks = grid.tasks[: arguments.tasks]
    ids = frozenset(task.id for task in tasks)
    all_queued = [QueuedTask(task, config, workdir.task("c", task.id), ids, Tries()) for task in tasks]
    planned = time.monotonic()
    timeline = Timeline()
    start = timeline.now
    cluster = Cluster(timeline, arguments, median_steps=10 + steps / 2)
    slots = CpuSlots(arguments.gpus)
    backlog = Backlog(all_queued, TimeModel())
    receiver, sender = socket.socketpair()
    receiver.setblocking(False)
    with locked(workdir) as lock, receiver, sender:
        settling = Settling(
            workdir,
            backlog,
            Silent(),
            Streak(config.retry.stop_after_identical),
            slots.health,
            lock.check,
            clock=timeline,
        )
        timeline.is_recording = lambda: len(settling) > 0
        loop = Loop(
            workdir,
            backlog,
            slots,
            cluster,
            Signals(receiver),
            Silent(),
            settling,
            lock=lock,
            foreign=ForeignAttempts(Watch()),
            cwd={"c": str(folder)},
            clock=timeline,
            selector=timeline,
        )
        cpu = time.process_time()
        loop.run()
    ran = time.monotonic()
    cpu = time.process_time() - cpu
    losses, seconds = cluster.losses, timeline.now - start
    capacity = seconds * arguments.gpus
    attempts = losses.ends.total()
    states = Counter(str(queued.state) for queued in all_queued)
    print(
        f"{len(tasks)} tasks on {arguments.gpus} GPUs: {dict(states)}, {settling.ending.why or 'to the end'}"
    )
    print(f"attempts: {attempts}, {dict(losses.ends)}")
    print(
        f"median task {statistics.median(cluster.lengths.values()) / 60:.0f} min, run {seconds / 86400:.2f} days"
    )
    print(
        f"GPU time: {losses.useful / capacity:.2%} useful, {losses.repeated / capacity:.2%} repeated, "
        f"{1 - (losses.useful + losses.repeated) / capacity:.2%} idle or starting"
    )
    print(f"plan {planned - began:.1f} s, loop {ran - planned:.1f} s ({cpu:.1f} s of CPU)")
    print(f"events: {2 * attempts / cpu:.0f} starts and ends a second of CPU")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    again = time.monotonic()
    done = sum(record.state == "done" for record in audit(workdir, grid))
    print(f"a second run finds {done} done in {time.monotonic() - again:.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--gpus", type=int, default=1000)
    parser.add_argument("--harm", type=float, default=1.0, help="factor of the rate at which nodes fail")
    parser.add_argument("--preempted", type=float, default=0.1, help="share of attempts that are preempted")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", help="where the work directory is made (default: the temporary folder)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        simulate(arguments, Path(folder))


if __name__ == "__main__":
    main()
