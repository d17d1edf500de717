"""A run of the scheduler's loop, all of it real but for its clock, its executor and what NVML says."""

import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.scheduler.fake_executor import Attempt, FakeExecutor, FakeRunner, running_of
from tests.scheduler.timeline import Timeline

from accsearch.checkpoint.heartbeat import Watch
from accsearch.checkpoint.markers import Done, Failed
from accsearch.config.load import build_config
from accsearch.config.schema import GpuConfig
from accsearch.executors.executor import Job
from accsearch.gpus.device import Device, GpuLost, Process, Reading
from accsearch.grid import expand
from accsearch.scheduler.backlog import Backlog
from accsearch.scheduler.durations import Sample, TimeModel
from accsearch.scheduler.ending import Ending
from accsearch.scheduler.foreign import ForeignAttempts
from accsearch.scheduler.interrupts import Signals
from accsearch.scheduler.jobs import job_of
from accsearch.scheduler.lock import locked
from accsearch.scheduler.loop import Loop
from accsearch.scheduler.options import Silent
from accsearch.scheduler.policy import Streak, Tries
from accsearch.scheduler.settling import Settling
from accsearch.scheduler.slots.cluster_slots import ClusterSlots
from accsearch.scheduler.slots.cpu_slots import CpuSlots
from accsearch.scheduler.slots.gpu_slots import GpuSlots
from accsearch.scheduler.slots.queued import QueuedTask
from accsearch.scheduler.slots.slot import Slot, Slots
from accsearch.task import Task
from accsearch.workdir import WorkDir

GIB = 1 << 30


def idle(gib: int) -> Reading:
    """Return a reading of an idle GPU with so much memory."""
    return Reading(0, 0, gib * GIB, gib * GIB)


def busy(gib: int) -> Reading:
    """Return a reading of a GPU on which another process computes, with so much memory free."""
    return Reading(99, 0, gib * GIB, gib * GIB)


class Simulation(Silent):
    """What a test gives (tasks, GPUs, how attempts go, what happens when), and what it sees afterwards."""

    def __init__(self, folder: Path) -> None:
        self.workdir = WorkDir(folder)
        self.timeline = Timeline()
        self.gpus: dict[str, Reading | None] = {}
        """What NVML says of each GPU; None for a lost one."""
        self.attempts: dict[str, list[Attempt]] = {}
        """How the attempts at a task go, in order; those not named succeed after ten seconds."""
        self.sections: dict[str, object] = {}
        """Sections of the configuration that stand in place of those that `run` makes."""
        self.jobs: list[tuple[float, Job]] = []
        """What was started, and after how many seconds."""
        self.verdicts: list[Done | Failed] = []
        self.messages: list[str] = []
        self.reasons: list[dict[str, str]] = []
        """What tasks waited for, at each change."""
        self.ending = Ending()
        self._begin = self.timeline.now
        self._signals, self._sender = socket.socketpair()
        self._signals.setblocking(False)

    def plan(self, job: Job) -> Attempt:
        """Return how an attempt goes; a test may replace this."""
        left = self.attempts.get(job.task.id)
        return left.pop(0) if left else Attempt()

    def signal(self, number: int) -> None:
        """Let a signal arrive."""
        self._sender.send(bytes([number]))

    def run(
        self,
        names: Sequence[str] = (),
        *,
        slots: int = 1,
        known: Mapping[str, float] | None = None,
        retry: Mapping[str, object] | None = None,
        batch_size: int | None = None,
        adopted: Sequence[str] = (),
        nodes: int | None = None,
    ) -> None:
        """Run tasks of these names to the end, on the GPUs or else on so many CPU slots or, if given, `nodes`.

        `known` says what tasks took before; those `adopted` are at work already, from an earlier scheduler.
        """
        config = build_config(
            {
                "name": "c",
                "grid": {"n": list(names)},
                "worker": {"kind": "command", "command": ["true", "{n}"]},
                "retry": {"backoff": 5.0, **(retry or {})},
                "gpus": {"samples": 1},
                **self.sections,
            }
        )
        self.workdir.create("c")
        tasks = {task.id: task for task in expand(config).tasks}
        self.queued = {
            name: QueuedTask(
                task, config, self.workdir.task("c", task.id), frozenset(), Tries(batch_size=batch_size)
            )
            for name, task in tasks.items()
        }
        samples = [Sample(tasks[name], seconds) for name, seconds in (known or {}).items()]
        pending = [queued for name, queued in self.queued.items() if name not in adopted]
        backlog = Backlog(pending, TimeModel(samples))
        self.executor = FakeExecutor(self.timeline, self._start, nodes)
        gpu_or_cpu_slots = self._slots(config.gpus, slots, nodes)
        streak = Streak(config.retry.stop_after_identical)
        with locked(self.workdir) as lock:
            settling = Settling(
                self.workdir, backlog, self, streak, gpu_or_cpu_slots.health, lock.check, clock=self.timeline
            )
            self.ending = settling.ending
            self.timeline.is_recording = lambda: len(settling) > 0
            loop = Loop(
                self.workdir,
                backlog,
                gpu_or_cpu_slots,
                self.executor,
                Signals(self._signals),
                self,
                settling,
                lock=lock,
                foreign=ForeignAttempts(Watch()),
                cwd={"c": str(self.workdir.root)},
                clock=self.timeline,
                selector=self.timeline,
            )
            for name in adopted:
                self._adopt(loop, self.queued[name])
            loop.run()

    def starts(self) -> list[tuple[float, str]]:
        """Return after how many seconds which task was started."""
        return [(when, job.task.id) for when, job in self.jobs]

    def order(self) -> list[str]:
        """Return the tasks in the order in which they were started."""
        return [name for _, name in self.starts()]

    def gpus_of(self, name: str) -> list[str | None]:
        """Return the GPUs on which a task was tried."""
        return [job.gpu for _, job in self.jobs if job.task.id == name]

    def states(self) -> dict[str, str]:
        return {name: str(queued.state) for name, queued in self.queued.items()}

    def ended(self, task: Task, verdict: Done | Failed) -> None:
        self.verdicts.append(verdict)

    def message(self, text: str) -> None:
        self.messages.append(text)

    def waiting(self, reasons: Mapping[str, str], tasks: int) -> None:
        self.reasons.append(dict(reasons))

    def read(self, uuid: str) -> Reading:
        reading = self.gpus[uuid]
        if reading is None:
            raise GpuLost("GPU is lost")
        return reading

    def processes(self, uuid: str) -> Sequence[Process]:
        return self.read(uuid).processes

    def close(self) -> None:
        self._signals.close()
        self._sender.close()

    def _start(self, job: Job) -> Attempt:
        self.jobs.append((self.timeline.now - self._begin, job))
        return self.plan(job)

    def _adopt(self, loop: Loop, queued: QueuedTask) -> None:
        root = self.workdir.root
        job = job_of(queued, Slot("cpu0", {}), self.workdir, str(root), self.executor.root_for)
        runner = FakeRunner(self.timeline, self.plan, adopted=True)
        runner.start(job)
        queued.attempt = job.attempt
        loop.adopt(queued, runner, running_of(job))

    def _slots(self, limits: GpuConfig, slots: int, nodes: int | None) -> Slots:
        if nodes is not None:
            return ClusterSlots("fake", lambda: self.executor.capacity() or 0, on_gpus=False)
        return self._gpu_slots(limits) if self.gpus else CpuSlots(slots)

    def _gpu_slots(self, limits: GpuConfig) -> GpuSlots:
        devices = [
            Device(number, uuid, "H200", reading and reading.memory_total)
            for number, (uuid, reading) in enumerate(self.gpus.items())
        ]
        return GpuSlots(devices, self, limits, self.workdir.root, self.message)
