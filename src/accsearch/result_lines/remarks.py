"""What a reader must know of a choice: tasks that could not take part, and how its trials were measured."""

from collections import Counter
from collections.abc import Iterator, Sequence

from accsearch.result_lines.candidates import TaskResults
from accsearch.result_lines.line import ResultLine

ROUGH = "timed as its images were made, not in turn with the baseline"


def counted(results: Sequence[TaskResults]) -> Iterator[str]:
    """Yield for each configuration one line on tasks without any result, and one on results that do not count."""
    for config in dict.fromkeys(each.task.config for each in results):
        members = [each for each in results if each.task.config == config and each.other is None]
        if without := sum(not each.lines for each in members):
            yield f"{config}: {without} of {len(members)} tasks have no result yet"
        if left_out := sum(each.left_out for each in members):
            what = "result is" if left_out == 1 else "results are"
            yield f"{config}: {left_out} {what} of another setting or a trial no longer listed (--all shows them)"


def remarks(results: Sequence[TaskResults], chosen: Sequence[tuple[str, str, ResultLine]]) -> Iterator[str]:
    """Yield what a choice must be read with, each remark once: of whole configurations, then of single trials.

    `chosen` has the configuration and the task or pipe that each line was chosen for.
    """
    said: set[tuple[str, str]] = set()
    for config in dict.fromkeys(config for config, _, _ in chosen):
        baselines = [b for each in results if each.task.config == config and (b := each.baseline) is not None]
        if any(not line.scores for line in baselines):
            yield f"{config}: no score was measured: ranked by speed alone, no loss is known"
        counts = Counter(part for line in baselines for part in _parts(line))
        for part, tasks in counts.items():
            said.add((config, part))
            yield f"{config}: {part}" + (
                "" if tasks == len(baselines) else f" ({tasks} of {len(baselines)} tasks)"
            )
    for config, name, line in chosen:
        for part in [*_parts(line), *([ROUGH] if line.is_rough else [])]:
            if (config, part) not in said:
                yield f"{config}/{name}: {line.trial}: {part}"


def _parts(line: ResultLine) -> list[str]:
    return line.note.split("; ") if line.note else []
