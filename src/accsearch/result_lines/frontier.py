"""Which trials are the answer under a limit on the loss, or may be: those worth precise times and a profile."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from accsearch.result_lines.best import best, decide
from accsearch.result_lines.candidates import Candidate, TaskResults, candidates
from accsearch.result_lines.line import ResultLine
from accsearch.task import BASELINE, Task


def answers(task: Task, lines: Mapping[str, ResultLine], limits: Sequence[float]) -> list[ResultLine]:
    """Return the baseline and the trials that `best` prints under `limits`, each once."""
    rows = best([TaskResults(task, lines)], limits).rows
    found = {line.trial: line for line in (lines[BASELINE], *(row.candidate.line for row in rows))}
    return list(found.values())


def rough_answers(task: Task, lines: Mapping[str, ResultLine], limits: Sequence[float]) -> list[ResultLine]:
    """Return the trials that `best` prints under `limits` and that are timed by batches only, fastest first."""
    return _rough(answers(task, lines, limits))


def rough_frontier(task: Task, lines: Mapping[str, ResultLine], limits: Sequence[float]) -> list[ResultLine]:
    """Return the trials that `best` may print once all are timed precisely, and that are not yet, fastest first.

    Left out are those whose speed-up's interval ends below where that of another trial within the limit begins. One
    whose loss is not yet decided is compared with other such trials too, since `best` prints the fastest of them.
    """
    found = candidates(TaskResults(task, lines))
    return _rough(candidate.line for limit in limits if found for candidate in _frontier(found, limit))


def _frontier(found: Sequence[Candidate], limit: float) -> Iterator[Candidate]:
    baseline, *others = found
    floor = _low(baseline)
    for decision in ("within", "unresolved"):
        group = [each for each in others if decide(each.score_loss, each.score_loss_ci95, limit) == decision]
        floor = max([floor, *map(_low, group)])
        yield from (each for each in group if _high(each) >= floor)


def _low(candidate: Candidate) -> float:
    return candidate.speedup_ci95[0] if candidate.speedup_ci95 else 0.0


def _high(candidate: Candidate) -> float:
    return candidate.speedup_ci95[1] if candidate.speedup_ci95 else float("inf")


def _rough(chosen: Iterable[ResultLine]) -> list[ResultLine]:
    lines = {line.trial: line for line in chosen if line.is_rough}
    return sorted(lines.values(), key=lambda line: -(line.speedup or 0))
