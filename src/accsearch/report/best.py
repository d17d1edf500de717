"""The upper bound as rows and as a terminal's text."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

from accsearch.checkpoint.measured import results_of_plan
from accsearch.checkpoint.plan import stored_plans
from accsearch.report import text
from accsearch.results.best import Selection, best
from accsearch.workdir import WorkDir

if TYPE_CHECKING:
    from rich.console import Group


def best_selection(
    workdir: WorkDir,
    *,
    max_losses: Sequence[float] = (0.01,),
    per: Literal["task", "pipe"] = "task",
    reference: str | None = None,
    others: bool = False,
) -> Selection:
    """Return the upper bounds of a work directory, with `others` also of what was measured in other settings.

    Raises UsageError for an unknown reference, and where nothing was run.
    """
    results = [
        each for plan in stored_plans(workdir) for each in results_of_plan(workdir, plan, others=others)
    ]
    return best(results, max_losses, per=per, reference=reference)


def best_table(rows: Sequence[Mapping[str, Any]]) -> "Group":
    """Return the rows of `best --json` as text: a heading for each task or pipe, and two lines a row below it."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    parts: list[Text | Padding] = []
    for heading, members in groupby(rows, key=_heading):
        parts.append(Text(heading, style="bold"))
        for row in members:
            style = "dim" if row["decision"] == "unresolved" else ""
            # What is too long for a terminal goes on below, as far in.
            parts.append(Padding(Text(_figures(row), style=style), (0, 0, 0, 2), expand=False))
            parts.append(Padding(Text(_trial(row), style=style), (0, 0, 0, 4), expand=False))
    return Group(*parts)


def _heading(row: Mapping[str, Any]) -> str:
    name = f"{row['config']}/{row.get('pipe') or row['task']}"
    if "pipe" in row:
        name += f" against the baseline of {row['reference']}"
    return text.marked(name, row["in_plan"], row["other_setting"])


def _figures(row: Mapping[str, Any]) -> str:
    speedup = text.speedup(row["speedup"], row["speedup_ci95"])
    loss = text.percent(row["score_loss"], row["score_loss_ci95"])
    return f"{row['decision']} {100 * row['max_loss']:g} %: {speedup}, loss {loss}"


def _trial(row: Mapping[str, Any]) -> str:
    shown = f"{row['trial']}: {text.methods(row['methods'])}" if row["methods"] else str(row["trial"])
    if "pipe" in row:
        shown += f", found in {row['found_in']}"
    if row["decision"] != "unresolved":
        return shown
    if row["score_loss"] is None:
        return f"{shown}; its loss was not measured"
    if row["score_loss"] >= row["max_loss"]:
        return f"{shown}; its mean loss is over the limit"
    needed = row["prompts_needed"]
    return shown + (
        f"; about {needed} prompts would settle it" if needed else "; too few prompts for an interval"
    )
