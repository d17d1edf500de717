"""The upper bound: the fastest active trial whose score loss stays within a limit."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from accsearch.errors import UsageError
from accsearch.results.line import Interval, ResultLine
from accsearch.results.stats import paired_loss_interval, prompts_needed, relative_loss, speedup_interval
from accsearch.task import BASELINE, Methods, Task

Decision = Literal["within", "unresolved", "exceeds"]
OTHERWISE = "with another GPU, batch size or dtype"


@dataclass(frozen=True, slots=True)
class TaskResults:
    """A task with the last line of each of its trials; `conditions` are its stability measurements.

    `in_plan` is false for a task that the latest plan does not have. `other` says by what the lines differ where
    they are of another setting than the plan's; `left_out` counts such lines where they are not asked for.
    """

    task: Task
    lines: Mapping[str, ResultLine]
    conditions: Mapping[str, ResultLine] = field(default_factory=dict)
    in_plan: bool = True
    other: str | None = None
    left_out: int = 0

    @property
    def baseline(self) -> ResultLine | None:
        """The baseline's line if it was measured."""
        line = self.lines.get(BASELINE)
        return line if line is not None and line.status == "ok" and line.seconds_per_image else None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trial as compared with one baseline."""

    task: str
    line: ResultLine
    speedup: float
    speedup_ci95: Interval | None
    score_loss: float | None
    score_loss_ci95: Interval | None


@dataclass(frozen=True, slots=True)
class Best:
    """One row of `best`; `scope` is `task` or `pipe`, `name` the task's or pipe's own."""

    scope: Literal["task", "pipe"]
    name: str
    config: str
    reference: str
    max_loss: float
    decision: Decision
    candidate: Candidate
    prompts_needed: int | None = None
    """About how many prompts would settle an unresolved loss at this limit; None where no number would."""
    in_plan: bool = True
    other: str | None = None

    @property
    def methods(self) -> Methods:
        return self.candidate.line.methods

    def to_json(self) -> dict[str, Any]:
        """Return the row as `best --json` prints it; `found_in` is the task that the trial belongs to."""
        found = self.candidate
        return {
            self.scope: self.name,
            "config": self.config,
            "max_loss": self.max_loss,
            "decision": self.decision,
            "trial": found.line.trial,
            "methods": found.line.methods,
            "speedup": found.speedup,
            "score_loss": found.score_loss,
            "speedup_ci95": found.speedup_ci95 and list(found.speedup_ci95),
            "score_loss_ci95": found.score_loss_ci95 and list(found.score_loss_ci95),
            "reference": self.reference,
            "found_in": found.task,
            "prompts_needed": self.prompts_needed,
            "in_plan": self.in_plan,
            "other_setting": self.other,
        }


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows, and in `notes` one line for each task that could not take part."""

    rows: tuple[Best, ...]
    notes: tuple[str, ...]


def decide(loss: float | None, interval: Interval | None, limit: float) -> Decision:
    """Say whether a loss is within `limit`: the whole interval below it, above it, or neither.

    Without an interval (a single prompt) nothing is proven within: a loss at or under the limit is
    unresolved, one over it exceeds. Without a score at all it is unresolved.
    """
    if interval is not None:
        low, high = interval
        return "within" if high <= limit else "exceeds" if low > limit else "unresolved"
    return "exceeds" if loss is not None and loss > limit else "unresolved"


def prompts_to_settle(base: TaskResults, line: ResultLine, limit: float) -> int | None:
    """Return about how many prompts would settle that a loss is within `limit`, None where no number would."""
    if base.baseline is None or line.trial == BASELINE:
        return None
    ours, theirs = _scores(base.baseline), _scores(line)
    return None if ours is None or theirs is None else prompts_needed(ours, theirs, limit)


def reaches(interval: Interval | None, target: float) -> bool:
    """Say whether a speed-up is at least `target` beyond doubt: the whole interval, and there is one."""
    return interval is not None and interval[0] >= target


def candidates(results: TaskResults) -> Sequence[Candidate]:
    """Return the active trials of one task that compare with its baseline, that one first; none without it."""
    groups = list(_by_task([results], []))
    return groups[0].candidates if groups else []


def best(
    results: Sequence[TaskResults],
    max_losses: Sequence[float] = (0.01,),
    *,
    per: Literal["task", "pipe"] = "task",
    reference: str | None = None,
) -> Selection:
    """Select for each task or pipe, and for each limit, the fastest trial within it.

    A second row follows where an `unresolved` trial is faster still. With `per="pipe"` every trial of the
    pipe's grid is compared with the baseline of one task: `reference` (TASK or CONFIG/TASK), or the one of
    most steps and, among those, of the first scheduler. Raises UsageError for an unknown reference.
    """
    notes: list[str] = list(_counted(results))
    groups = _by_task(results, notes) if per == "task" else _by_pipe(results, reference, notes)
    rows = [
        Best(
            per,
            group.name,
            group.base.task.config,
            group.base.task.id,
            limit,
            decision,
            candidate,
            prompts_to_settle(group.base, candidate.line, limit) if decision == "unresolved" else None,
            group.base.in_plan,
            group.base.other,
        )
        for group in groups
        for limit in max_losses
        for decision, candidate in _select(group.candidates, limit)
    ]
    notes += _remarks(results, rows)
    return Selection(tuple(rows), tuple(notes))


def _remarks(results: Sequence[TaskResults], rows: Sequence[Best]) -> Iterator[str]:
    """Yield what the rows must be read with, each remark once: of whole configurations, then of single trials."""
    said: set[tuple[str, str]] = set()
    for config in dict.fromkeys(row.config for row in rows):
        baselines = [b for each in results if each.task.config == config and (b := each.baseline) is not None]
        if any(not line.scores for line in baselines):
            yield f"{config}: no score was measured: ranked by speed alone, no loss is known"
        counts = Counter(part for line in baselines for part in _parts(line))
        for part, tasks in counts.items():
            said.add((config, part))
            yield f"{config}: {part}" + (
                "" if tasks == len(baselines) else f" ({tasks} of {len(baselines)} tasks)"
            )
    for row in rows:
        for part in _parts(row.candidate.line):
            if (row.config, part) not in said:
                yield f"{row.config}/{row.name}: {row.candidate.line.trial}: {part}"


def _parts(line: ResultLine) -> list[str]:
    return line.note.split("; ") if line.note else []


@dataclass(frozen=True, slots=True)
class _Group:
    """What one row is chosen from: a task's or pipe's name, the task that is the reference, the candidates."""

    name: str
    base: TaskResults
    candidates: Sequence[Candidate]


def _counted(results: Sequence[TaskResults]) -> Iterator[str]:
    """Yield for each configuration one line on tasks without any result, and one on results that do not count."""
    for config in dict.fromkeys(each.task.config for each in results):
        members = [each for each in results if each.task.config == config and each.other is None]
        if without := sum(not each.lines for each in members):
            yield f"{config}: {without} of {len(members)} tasks have no result yet"
        if left_out := sum(each.left_out for each in members):
            what = "result is" if left_out == 1 else "results are"
            yield f"{config}: {left_out} {what} of another setting or a trial no longer listed (--all shows them)"


def _scores(line: ResultLine) -> list[float] | None:
    """Return the score of each prompt, None where one is undefined."""
    scores = [score for score in line.scores if score is not None]
    return scores if len(scores) == len(line.scores) else None


def _select(candidates: Sequence[Candidate], limit: float) -> Iterator[tuple[Decision, Candidate]]:
    """Yield the fastest within, then the fastest unresolved if it is faster; the baseline comes first."""
    baseline, *others = candidates
    judged = [(decide(c.score_loss, c.score_loss_ci95, limit), c) for c in others]
    within = max([baseline, *(c for d, c in judged if d == "within")], key=lambda c: c.speedup)
    yield "within", within
    unresolved = [c for d, c in judged if d == "unresolved" and c.speedup > within.speedup]
    if unresolved:
        yield "unresolved", max(unresolved, key=lambda c: c.speedup)


def _eligible(results: TaskResults) -> Iterator[ResultLine]:
    for line in results.lines.values():
        if line.status == "ok" and line.active is not False and line.condition is None:
            yield line


def _itself(task: str, line: ResultLine) -> Candidate:
    """Return the baseline as compared with itself: no loss, unless nothing scored it."""
    loss = 0.0 if line.scores else None
    return Candidate(task, line, 1.0, (1.0, 1.0), loss, None if loss is None else (loss, loss))


def _by_task(results: Sequence[TaskResults], notes: list[str]) -> Iterator[_Group]:
    for each in results:
        task, base = each.task, each.baseline
        if not each.lines:
            continue
        if base is None:
            notes.append(f"{task.name}: no measured baseline")
            continue
        candidates = [_itself(task.id, base)]
        left_out = 0
        for line in _eligible(each):
            if line.trial == BASELINE or line.speedup is None:
                continue
            if not _comparable(line, base):
                left_out += 1
                continue
            candidates.append(
                Candidate(
                    task.id, line, line.speedup, line.speedup_ci95, line.score_loss, line.score_loss_ci95
                )
            )
        if left_out:
            notes.append(f"{task.name}: left out: {left_out} measured {OTHERWISE} than the baseline")
        yield _Group(task.id, each, candidates)


def _comparable(line: ResultLine, base: ResultLine) -> bool:
    """Say whether two lines were measured alike; GPUs of one model are, as for the reuse of a line."""
    return (line.gpu_name or line.gpu, line.batch_size, line.dtype) == (
        base.gpu_name or base.gpu,
        base.batch_size,
        base.dtype,
    )


def _by_pipe(results: Sequence[TaskResults], reference: str | None, notes: list[str]) -> Iterator[_Group]:
    pipes: dict[tuple[str, str], list[TaskResults]] = {}
    for each in results:
        if "pipe" in each.task.axes:
            pipes.setdefault((each.task.config, str(each.task.axes["pipe"])), []).append(each)
    if reference is not None:
        named = [each.task for each in results if reference in (each.task.id, each.task.name)]
        if len(named) != 1:
            raise UsageError(
                f"--reference {reference}: " + ("ambiguous, name it CONFIG/TASK" if named else "no such task")
            )
        key = (named[0].config, str(named[0].axes.get("pipe")))
        pipes = {key: pipes[key]} if key in pipes else {}
    for (_, pipe), members in pipes.items():
        if not any(each.lines for each in members):
            continue
        chosen = _reference(members, reference)
        base = chosen.baseline
        if base is None:
            notes.append(f"{chosen.task.name}: no measured baseline, so {pipe} has no reference")
            continue
        candidates = [_itself(chosen.task.id, base)]
        for each in members:
            candidates.extend(_against(chosen, base, each, notes))
        yield _Group(pipe, chosen, candidates)


def _reference(members: Sequence[TaskResults], reference: str | None) -> TaskResults:
    if reference is not None:
        return next(each for each in members if reference in (each.task.id, each.task.name))
    # max keeps the first of equals, and tasks come in the grid's order.
    return max(members, key=lambda each: float(each.task.axes.get("steps", 0)))


def _against(
    chosen: TaskResults, base: ResultLine, each: TaskResults, notes: list[str]
) -> Iterator[Candidate]:
    left_out = set()
    for line in _eligible(each):
        if line.trial == BASELINE and each is chosen:
            continue
        if not _comparable(line, base):
            left_out.add(f"measured {OTHERWISE} than the reference")
        elif not line.seconds_per_image or not base.seconds_per_image:
            left_out.add("a trial has no time")
        else:
            loss, interval = _loss(base, line)
            speedup = base.seconds_per_image / line.seconds_per_image
            if each is chosen and line.speedup is not None:
                # Interleaved with this very baseline: the worker's own interval is the sharper one.
                speedup, times = line.speedup, line.speedup_ci95
            else:
                times = speedup_interval(base.times, line.times)
            yield Candidate(each.task.id, line, speedup, times, loss, interval)
    notes.extend(f"{each.task.name}: left out: {why}" for why in sorted(left_out))


def _loss(base: ResultLine, line: ResultLine) -> tuple[float | None, Interval | None]:
    """Compare the scores of two tasks prompt by prompt; without equal prompts there is no interval."""
    loss = relative_loss(base.clip_score, line.clip_score)
    ours, theirs = _scores(base), _scores(line)
    return loss, None if ours is None or theirs is None else paired_loss_interval(ours, theirs)
