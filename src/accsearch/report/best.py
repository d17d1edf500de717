"""The upper bound as rows and as a terminal's text."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

from accsearch.checkpoint.measured import results_of_plan
from accsearch.checkpoint.plan import stored_plans
from accsearch.config.schema import SearchConfig
from accsearch.report import text
from accsearch.result_lines.best import Selection, best
from accsearch.workdir import WorkDir

if TYPE_CHECKING:
    from rich.console import Group


def best_selection(
    workdir: WorkDir,
    *,
    max_losses: Sequence[float] = (),
    per: Literal["task", "pipe"] = "task",
    reference: str | None = None,
    others: bool = False,
) -> Selection:
    """Return the upper bounds of a work directory, with `others` also of what was measured in other settings.

    Without `max_losses` the limits are those that a configuration's upper-bound search is for, else 1 %. Raises
    UsageError for an unknown reference, and where nothing was run.
    """
    plans = list(stored_plans(workdir))
    results = [each for plan in plans for each in results_of_plan(workdir, plan, others=others)]
    limits = {plan.grid.config.name: max_losses or _limits(plan.grid.config.search) for plan in plans}
    return best(results, limits, per=per, reference=reference)


def _limits(search: SearchConfig) -> Sequence[float]:
    return search.max_score_loss if search.strategy == "upper_bound" else (0.01,)


def best_table(rows: Sequence[Mapping[str, Any]]) -> "Group":
    """Return the rows of `best --json` as text: a heading for each task or pipe, and the lines of each row below it."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    parts: list[Text | Padding] = []
    for heading, members in groupby(rows, key=_heading):
        parts.append(Text(heading, style="bold"))
        for row in members:
            style = "dim" if row["decision"] == "unresolved" else ""
            for number, line in enumerate(row_lines(row)):
                # What is too long for a terminal goes on below, as far in.
                indent = (0, 0, 0, 4 if number else 2)
                parts.append(Padding(Text(line, style=style), indent, expand=False))
    return Group(*parts)


def row_lines(row: Mapping[str, Any]) -> list[str]:
    """Return a row of `best --json` as text: its figures, its trial, and how far a proof got where there is one."""
    return [line for line in (_figures(row), _trial(row), text.proof(row["proof"])) if line]


def _heading(row: Mapping[str, Any]) -> str:
    name = f"{row['config']}/{row.get('pipe') or row['task']}"
    if "pipe" in row:
        name += f" against the baseline of {row['reference']}"
    return text.marked(name, row["in_plan"], row["other_setting"])


def _figures(row: Mapping[str, Any]) -> str:
    speedup = text.speedup(row["speedup"], row["speedup_ci95"])
    loss = text.percent(row["score_loss"], row["score_loss_ci95"])
    parts = (
        f"{row['decision']} {100 * row['max_loss']:g} %: {speedup}, loss {loss}",
        text.confirmation(row["confirmed"]),
    )
    return ", ".join(filter(None, parts))


def _trial(row: Mapping[str, Any]) -> str:
    shown = f"{row['trial']}: {text.methods(row['methods'])}" if row["methods"] else str(row["trial"])
    if "pipe" in row:
        shown += f", found in {row['found_in']}"
    if won := row["won"]:
        speedup = text.speedup(won["speedup"], won["speedup_ci95"])
        loss = text.percent(won["score_loss"], won["score_loss_ci95"])
        shown += f"; it won with {speedup}, loss {loss}"
    if row["decision"] != "unresolved":
        return shown
    if row["score_loss_ci95"] is not None and row["score_loss_ci95"][1] <= row["max_loss"]:
        return f"{shown}; it was not confirmed on fresh prompts"
    if row["score_loss"] is None:
        return f"{shown}; its loss was not measured"
    if row["score_loss"] >= row["max_loss"]:
        return f"{shown}; its mean loss is over the limit"
    needed = row["prompts_needed"]
    return shown + (
        f"; about {needed} prompts would settle it" if needed else "; too few prompts for an interval"
    )
