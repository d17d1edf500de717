"""Judge GPUs by what becomes of their workers; pure, times are monotonic seconds.

A GPU can answer NVML as always and yet fail every worker. Other GPUs show whether it or its tasks are at fault: a
task that fails on a second GPU is at fault itself, a GPU that keeps failing tasks while another one does not is
quarantined.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from accsearch.scheduler.policy import SHORT

IN_A_ROW = 3
"""Failures in a row that speak of the GPU, or whose tasks were done elsewhere, after which it is quarantined."""
DOUBTFUL_IN_A_ROW = 5
"""Failures in a row after which a GPU is quarantined even if the tasks may be at fault."""
OFTEN, WINDOW = 4, 8
"""So many failures that are surely the GPU's, of its last outcomes, are too many even with successes in between."""
MARGIN = 3.0
"""A GPU must fail that many times as often as the best of the others."""
QUARANTINE_FIRST, QUARANTINE_LONGEST = 600.0, 3600.0
"""Seconds until a quarantined GPU is tried with one task, doubling each time that fails."""


class Mark(Enum):
    GOOD = auto()
    DOUBTFUL = auto()
    """Failed at its start, by the GPU's fault or the task's own."""
    BAD = auto()
    """Failed in a way that speaks of the GPU, or was done on another one."""


@dataclass(slots=True)
class AttemptOutcome:
    """What became of an attempt on a GPU; the task is None where that says nothing of the task."""

    task: str | None
    mark: Mark
    why: str = ""


@dataclass(slots=True)
class Record:
    """What is known of one GPU."""

    outcomes: deque[AttemptOutcome] = field(default_factory=lambda: deque(maxlen=WINDOW))
    at_work_since: float | None = None
    quarantined_until: float | None = None
    on_probation: bool = False
    pause: float = QUARANTINE_FIRST

    def failure_rate(self) -> float:
        """Return the share of failures among the last outcomes; 0 where nothing is known."""
        failed = sum(outcome.mark is not Mark.GOOD for outcome in self.outcomes)
        return failed / len(self.outcomes) if self.outcomes else 0.0

    def fails_too_much(self) -> bool:
        last = [outcome.mark for outcome in self.outcomes]
        return (
            (len(last) >= IN_A_ROW and all(mark is Mark.BAD for mark in last[-IN_A_ROW:]))
            or (len(last) >= DOUBTFUL_IN_A_ROW and Mark.GOOD not in last[-DOUBTFUL_IN_A_ROW:])
            or last.count(Mark.BAD) >= max(OFTEN, len(last) / 2)
        )


class GpuHealth:
    """The records of a run's GPUs; without a second GPU to compare with, none is ever at fault."""

    def __init__(self, gpus: Sequence[str] = ()) -> None:
        self.lost: Collection[str] = ()
        """Those that do not answer, which says nothing for or against another one."""
        self._records = {gpu: Record() for gpu in gpus}

    def started(self, gpu: str | None, now: float) -> None:
        """Note that a worker starts on a GPU."""
        if (record := self._records.get(gpu or "")) is not None:
            record.at_work_since = now

    def ended(self, gpu: str | None) -> None:
        """Note that the worker on a GPU has ended."""
        if (record := self._records.get(gpu or "")) is not None:
            record.at_work_since = None

    def succeeded(self, gpu: str | None, task: str | None) -> None:
        """Note an attempt that got past its start; where its `task` is done, its failures elsewhere were the GPUs'."""
        for outcome in self._failures_of(task):
            outcome.mark = Mark.BAD
        if (record := self._records.get(gpu or "")) is None:
            return
        if record.on_probation:
            record.outcomes.clear()
            record.on_probation = False
            record.pause = QUARANTINE_FIRST
        record.outcomes.append(AttemptOutcome(task, Mark.GOOD))

    def failed(self, gpu: str | None, task: str, why: str, *, speaks_of_gpu: bool) -> None:
        """Note an attempt that failed at its start."""
        if (record := self._records.get(gpu or "")) is not None:
            mark = Mark.BAD if speaks_of_gpu or record.on_probation else Mark.DOUBTFUL
            record.outcomes.append(AttemptOutcome(task, mark, why))

    def forgive(self, task: str) -> None:
        """Forget the failures of a task that is at fault itself."""
        for record in self._records.values():
            kept = [each for each in record.outcomes if each.task != task or each.mark is Mark.GOOD]
            record.outcomes = deque(kept, WINDOW)

    def failing(self) -> list[str]:
        """Return the GPUs that failed a task of late."""
        return [gpu for gpu, record in self._records.items() if record.failure_rate()]

    def is_well(self, gpu: str, now: float) -> bool:
        """Return whether the last worker on a GPU got past its start."""
        record = self._records.get(gpu)
        if record is None:
            return False
        last_is_good = bool(record.outcomes) and record.outcomes[-1].mark is Mark.GOOD
        return last_is_good or _is_past_start(record, now)

    def has_just_failed(self, gpu: str) -> bool:
        """Return whether the last task on a GPU failed at its start."""
        record = self._records.get(gpu)
        return record is not None and bool(record.outcomes) and record.outcomes[-1].mark is not Mark.GOOD

    def may_be_spared(self, gpus: Collection[str], now: float) -> bool:
        """Return whether failures on `gpus` alone may be theirs: another GPU may be well, or is."""
        present = self._records.keys() - set(self.lost)
        if len(present) < 2:
            return False
        at_work = {gpu: r for gpu, r in self._records.items() if r.at_work_since is not None}
        return len(gpus) < 2 or any(
            gpu not in gpus or _is_past_start(record, now) for gpu, record in at_work.items()
        )

    def faulty(self, now: float) -> Mapping[str, str]:
        """Return the GPUs that are quarantined now, each with the reason."""
        found = {}
        for gpu, record in self._records.items():
            until = record.quarantined_until
            if until is not None and now >= until:
                self._put_on_probation(record)
            elif not self._is_faulty(gpu, record, now):
                record.quarantined_until = None
            else:
                if until is None:
                    record.quarantined_until = now + record.pause
                    record.pause = min(2 * record.pause, QUARANTINE_LONGEST)
                found[gpu] = _reason(record)
        return found

    def next_change(self) -> float | None:
        """Return when the next quarantine ends, None without one."""
        times = [r.quarantined_until for r in self._records.values() if r.quarantined_until is not None]
        return min(times, default=None)

    def _is_faulty(self, gpu: str, record: Record, now: float) -> bool:
        if not record.fails_too_much():
            return False
        others = [
            0.0 if _is_past_start(other, now) else other.failure_rate()
            for name, other in self._records.items()
            if name != gpu and name not in self.lost
        ]
        return bool(others) and MARGIN * min(others) <= record.failure_rate()

    def _put_on_probation(self, record: Record) -> None:
        """Let one task decide: one more failure, of whatever kind, is one too many."""
        record.quarantined_until = None
        record.on_probation = True
        last = [each for each in record.outcomes if each.mark is not Mark.GOOD][1 - IN_A_ROW :]
        record.outcomes = deque((AttemptOutcome(each.task, Mark.BAD, each.why) for each in last), WINDOW)

    def _failures_of(self, task: str | None) -> Iterator[AttemptOutcome]:
        for record in self._records.values():
            for outcome in record.outcomes:
                if task is not None and outcome.task == task and outcome.mark is Mark.DOUBTFUL:
                    yield outcome


def _is_past_start(record: Record, now: float) -> bool:
    return record.at_work_since is not None and now - record.at_work_since > SHORT


def _reason(record: Record) -> str:
    failed = [outcome for outcome in record.outcomes if outcome.mark is not Mark.GOOD]
    return (
        f"{len(failed)} of its last {len(record.outcomes)} tasks failed at their start, which other GPUs do not do "
        f"({failed[-1].why})"
    )
