"""The upper bound as rows and as a terminal's table."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from accsearch.report import text
from accsearch.report.trials import results_of
from accsearch.results.best import Selection, best
from accsearch.workdir import WorkDir

if TYPE_CHECKING:
    from rich.table import Table


def best_selection(
    workdir: WorkDir,
    *,
    max_loss: float = 0.01,
    per: Literal["task", "pipe"] = "task",
    reference: str | None = None,
) -> Selection:
    """Return the upper bounds of a work directory; raises UsageError for an unknown reference."""
    return best(results_of(workdir), [max_loss], per=per, reference=reference)


def best_table(rows: Sequence[Mapping[str, Any]]) -> "Table":
    """Return the rows of `best --json` as a table."""
    from rich.table import Table

    per_pipe = any("pipe" in row for row in rows)
    table = Table(box=None, pad_edge=False)
    # On a narrow terminal cells take several lines, an interval or a name is broken only where it may be.
    table.add_column("pipe" if per_pipe else "task", overflow="fold")
    for heading in ("limit", "speed-up [95 %]", "score loss [95 %]", "decision"):
        table.add_column(heading)
    if per_pipe:
        table.add_column("found in", overflow="fold")
    table.add_column("methods", overflow="fold")
    for row in rows:
        cells = [
            f"{row['config']}/{row.get('pipe') or row.get('task')}",
            text.percent(row["max_loss"]),
            text.speedup(row["speedup"], row["speedup_ci95"]),
            text.percent(row["score_loss"], row["score_loss_ci95"]),
            row["decision"],
            *([row["found_in"]] if per_pipe else []),
            text.methods(row["methods"]),
        ]
        table.add_row(*cells, style="dim" if row["decision"] == "unresolved" else None)
    return table
