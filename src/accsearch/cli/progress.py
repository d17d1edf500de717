"""Observers of a run: a live table for a terminal, plain lines for everything else."""

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from accsearch.cli.output import columns, console, message
from accsearch.report.text import duration
from accsearch.task import Task
from accsearch.workdir import WorkDir

if TYPE_CHECKING:
    from rich.console import Group

    from accsearch.checkpoint.markers import Done, Failed
    from accsearch.grid import Grid


class PlainLines:
    """One line on stderr for each thing that happens."""

    def __init__(self) -> None:
        self._waiting: dict[str, str] = {}
        self._endings = Endings()

    def started(self, task: Task, gpu: str | None) -> None:
        message(f"started: {task.name}" + (f" on {gpu}" if gpu else ""))

    def ended(self, task: Task, verdict: "Done | Failed") -> None:
        message(self._endings.line(task, verdict))

    def message(self, text: str) -> None:
        message(text)

    def waiting(self, reasons: Mapping[str, str], tasks: int) -> None:
        # One line a reason, not one a task: a thousand tasks may wait for the same GPU.
        for why in dict.fromkeys(reasons.values()):
            if why not in self._waiting.values():
                message(f"waiting: {why}")
        self._waiting = dict(reasons)

    def time_left(self, seconds: float | None) -> None:
        pass


class LiveTable:
    """A table on the terminal: task, GPU, trial k of n, time; above it what has happened scrolls by."""

    def __init__(self, workdir: WorkDir, grids: "Sequence[Grid]") -> None:
        from rich.live import Live

        self._workdir = workdir
        self._configs = {grid.config.name: grid.config for grid in grids}
        self._running: dict[str, tuple[Task, str | None, float]] = {}
        self._waiting: dict[str, str] = {}
        self._tasks_waiting = 0
        self._left: float | None = None
        self._ended: set[str] = set()
        self._endings = Endings()
        # It goes when the run ends: what it showed last would else stay, as if those tasks were still at work.
        self._live = Live(
            console=console(stderr=True), get_renderable=self.render, refresh_per_second=2, transient=True
        )

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def started(self, task: Task, gpu: str | None) -> None:
        self._ended.discard(task.name)
        self._running[task.name] = (task, gpu, time.monotonic())

    def ended(self, task: Task, verdict: "Done | Failed") -> None:
        self._running.pop(task.name, None)
        self._ended.add(task.name)
        self.message(self._endings.line(task, verdict))

    def message(self, text: str) -> None:
        self._live.console.print(text, markup=False)

    def waiting(self, reasons: Mapping[str, str], tasks: int) -> None:
        self._waiting = dict(reasons)
        self._tasks_waiting = tasks

    def time_left(self, seconds: float | None) -> None:
        self._left = seconds

    def render(self) -> "Group":
        """Draw the table; called by the live display twice a second."""
        from rich.console import Group
        from rich.text import Text

        table = columns("task", "GPU", "trial", "time")
        for name, (task, gpu, since) in list(self._running.items()):
            table.add_row(name, gpu or "-", self._trial(task), duration(time.monotonic() - since))
        left = f", about {duration(self._left)} left" if self._left is not None else ""
        # One that failed and is to be tried again waits.
        ended = len(self._ended - self._waiting.keys())
        counts = f"{len(self._running)} running, {self._tasks_waiting} waiting, {ended} ended{left}"
        lines = [Text(counts)]
        lines += [Text(f"waiting: {why}") for why in dict.fromkeys(self._waiting.values())]
        return Group(table, *lines)

    def _trial(self, task: Task) -> str:
        from accsearch.grid.reuse import own_lines
        from accsearch.result_lines.file import read

        if not task.trials:
            return "-"
        lines = read(self._workdir.task(task.config, task.id).results)
        measured = len(
            own_lines(self._configs[task.config], task, lines).keys() & {t.id for t in task.trials}
        )
        return f"{min(measured + 1, len(task.trials))} of {len(task.trials)}"


class Endings:
    """Describes the end of each attempt in one line; of a repeated message it names the task that had it first."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def line(self, task: Task, verdict: "Done | Failed") -> str:
        """Return the line for an attempt of `task`."""
        from accsearch.checkpoint.markers import Done

        if isinstance(verdict, Done):
            return f"done: {task.name} in {duration(verdict.seconds)}"
        failed = f"failed: {task.name}: {verdict.reason}"
        if verdict.message not in self._said:
            self._said[verdict.message] = task.name
            return f"{failed}: {verdict.message}"
        first = self._said[verdict.message]
        return f"{failed}, again" if first == task.name else f"{failed}, as {first}"
