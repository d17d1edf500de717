"""The trials of a whole work directory as one table."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from accsearch.checkpoint.measured import results_of_plan
from accsearch.checkpoint.plan import stored_plans
from accsearch.result_lines.candidates import TaskResults, prompts_to_settle
from accsearch.result_lines.export import Format, encode, row
from accsearch.workdir import WorkDir


def export_trials(workdir: WorkDir, format: Format, *, others: bool = False) -> bytes:
    """Return what `rows_of` returns as one file's content."""
    return encode(rows_of(workdir, others=others), format)


def rows_of(workdir: WorkDir, *, others: bool = False) -> list[dict[str, Any]]:
    """Return the last line of every trial, stability measurements included, as column → value.

    With `others` also what was measured in another setting than the stored plan's. Raises UsageError where nothing
    was run.
    """
    return [
        each
        for plan in stored_plans(workdir)
        for results in results_of_plan(workdir, plan, others=others)
        for each in _rows(results, min(plan.grid.config.search.max_score_loss))
    ]


def _rows(results: TaskResults, limit: float) -> Iterator[dict[str, Any]]:
    for line in (*results.lines.values(), *results.conditions.values()):
        # The limits may be other ones than when the line was written.
        needed = prompts_to_settle(results, line, limit) if line.condition is None else line.prompts_needed
        yield row(results.task, replace(line, prompts_needed=needed), results.in_plan, results.other)
