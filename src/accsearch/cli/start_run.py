"""Start a run and print what happens."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from accsearch.cli.output import message
from accsearch.report.text import duration

if TYPE_CHECKING:
    from accsearch.grid import Grid
    from accsearch.scheduler.options import RunOptions, Summary
    from accsearch.workdir import WorkDir


def launch(grids: "Sequence[Grid]", workdir: "WorkDir", options: "RunOptions") -> int:
    """Run the grids, with a live table on a terminal and plain lines elsewhere; return the exit code."""
    import time

    from accsearch.cli.progress import LiveTable, PlainLines
    from accsearch.scheduler.run import run

    began = time.monotonic()
    if sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
        with LiveTable(workdir, grids) as table:
            summary = run(grids, workdir, options, table)
    else:
        summary = run(grids, workdir, options, PlainLines())
    _report(summary, time.monotonic() - began)
    return summary.exit_code


def _report(summary: "Summary", seconds: float) -> None:
    for failed in summary.failures:
        # Its message was printed when it failed.
        message(f"failed: {failed.config}/{failed.task}: {failed.reason} (log: {failed.log})")
    counts = ", ".join(f"{number} {state.value}" for state, number in summary.counts.items() if number)
    message(f"{counts or 'no tasks'} after {duration(seconds)}" + (f": {summary.why}" if summary.why else ""))
