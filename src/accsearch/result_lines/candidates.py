"""The trials of tasks as compared with one baseline each: what an upper bound is chosen from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from accsearch.errors import UsageError
from accsearch.result_lines.line import ResultLine
from accsearch.result_lines.stats import (
    Interval,
    paired_loss_interval,
    prompts_needed,
    relative_loss,
    speedup_interval,
)
from accsearch.task import BASELINE, Task

OTHERWISE = "with another GPU, batch size or dtype"


@dataclass(frozen=True, slots=True)
class TaskResults:
    """A task with the last line of each of its trials; `conditions` are its stability measurements.

    `in_plan` is false for a task that the latest plan does not have. `other` says by what the lines differ where
    they are of another setting than the plan's; `left_out` counts such lines where they are not asked for. A trial that
    is not surely within `max_lpips` of the baseline's images takes no part.
    """

    task: Task
    lines: Mapping[str, ResultLine]
    conditions: Mapping[str, ResultLine] = field(default_factory=dict)
    in_plan: bool = True
    other: str | None = None
    left_out: int = 0
    max_lpips: float | None = None

    @property
    def baseline(self) -> ResultLine | None:
        """The baseline's line if it was measured."""
        line = self.lines.get(BASELINE)
        return line if line is not None and line.status == "ok" and line.seconds_per_image else None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trial as compared with one baseline, a confirmed one by the figures of its confirmation."""

    task: str
    line: ResultLine
    speedup: float
    speedup_ci95: Interval | None
    score_loss: float | None
    score_loss_ci95: Interval | None


@dataclass(frozen=True, slots=True)
class Group:
    """What one row is chosen from: a task's or pipe's name, the task that is the reference, the candidates."""

    name: str
    base: TaskResults
    candidates: Sequence[Candidate]


def candidates(results: TaskResults) -> Sequence[Candidate]:
    """Return the active trials of one task that compare with its baseline, that one first; none without it."""
    groups = list(by_task([results], []))
    return groups[0].candidates if groups else []


def prompts_to_settle(base: TaskResults, line: ResultLine, limit: float) -> int | None:
    """Return about how many prompts would settle that a loss is within `limit`, None where no number would."""
    if base.baseline is None or line.trial == BASELINE:
        return None
    ours, theirs = _scores(base.baseline), _scores(line)
    if ours is None or theirs is None:
        return None
    # A trial that was dropped has the scores of the first prompts alone.
    return prompts_needed(ours[: len(theirs)], theirs, limit)


def by_task(results: Sequence[TaskResults], notes: list[str]) -> Iterator[Group]:
    """Yield the trials of each task beside its own baseline; what cannot take part is added to `notes`."""
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
            candidates.append(_own(task.id, line, line.speedup))
        if left_out:
            notes.append(f"{task.name}: left out: {left_out} measured {OTHERWISE} than the baseline")
        yield Group(task.id, each, candidates)


def by_pipe(results: Sequence[TaskResults], reference: str | None, notes: list[str]) -> Iterator[Group]:
    """Yield the trials of each pipe's tasks beside the baseline of one of them; see `result_lines.best.best`."""
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
        yield Group(pipe, chosen, candidates)


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
            if each is chosen and line.speedup is not None:
                # Interleaved with this very baseline: the worker's own interval is the sharper one.
                yield _own(each.task.id, line, line.speedup)
            else:
                speedup = base.seconds_per_image / line.seconds_per_image
                times = speedup_interval(base.times, line.times)
                yield Candidate(each.task.id, line, speedup, times, *_loss(base, line))
    notes.extend(f"{each.task.name}: left out: {why}" for why in sorted(left_out))


def _loss(base: ResultLine, line: ResultLine) -> tuple[float | None, Interval | None]:
    """Compare the scores of two tasks prompt by prompt; without equal prompts there is no interval."""
    loss = relative_loss(base.clip_score, line.clip_score)
    ours, theirs = _scores(base), _scores(line)
    return loss, None if ours is None or theirs is None else paired_loss_interval(ours, theirs)


def _eligible(results: TaskResults) -> Iterator[ResultLine]:
    for line in results.lines.values():
        measured = line.status == "ok" and line.active is not False and line.condition is None
        if measured and (line.trial == BASELINE or is_near(line.lpips, results.max_lpips)):
            yield line


def is_near(lpips: float | None, limit: float | None) -> bool:
    """Say whether a mean LPIPS to the baseline's images is within the limit; what was not measured is not."""
    return limit is None or (lpips is not None and lpips <= limit)


def _itself(task: str, line: ResultLine) -> Candidate:
    """Return the baseline as compared with itself: no loss, unless nothing scored it."""
    loss = 0.0 if line.scores else None
    return Candidate(task, line, 1.0, (1.0, 1.0), loss, None if loss is None else (loss, loss))


def _own(task: str, line: ResultLine, speedup: float) -> Candidate:
    """Return a trial as its own worker compared it, `speedup` times faster unless it was confirmed."""
    found = line.confirmed
    if found is None:
        return Candidate(task, line, speedup, line.speedup_ci95, line.score_loss, line.score_loss_ci95)
    return Candidate(task, line, found.speedup, found.speedup_ci95, found.score_loss, found.score_loss_ci95)


def _comparable(line: ResultLine, base: ResultLine) -> bool:
    """Say whether two lines were measured alike; GPUs of one model are, as for the reuse of a line."""
    return (line.gpu_name or line.gpu, line.batch_size, line.dtype) == (
        base.gpu_name or base.gpu,
        base.batch_size,
        base.dtype,
    )


def _scores(line: ResultLine) -> list[float] | None:
    """Return the score of each prompt, None where one is undefined."""
    scores = [score for score in line.scores if score is not None]
    return scores if len(scores) == len(line.scores) else None
