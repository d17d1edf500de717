"""Read the results of a whole work directory."""

from accsearch.checkpoint.plan import load_plan
from accsearch.results.best import TaskResults, load
from accsearch.results.export import Format, encode, row
from accsearch.results.file import latest, read
from accsearch.task import Task
from accsearch.workdir import WorkDir


def tasks_of(workdir: WorkDir) -> list[Task]:
    """Return the tasks of every stored plan, in the grids' order."""
    return [task for config in workdir.configs() for task in load_plan(workdir, config).grid.tasks]


def results_of(workdir: WorkDir) -> list[TaskResults]:
    """Return the results of every traversal task."""
    return load(workdir, tasks_of(workdir))


def export_trials(workdir: WorkDir, format: Format) -> bytes:
    """Return the last line of every trial, stability measurements included, as one file's content."""
    rows = [
        row(task, line)
        for task in tasks_of(workdir)
        for line in latest(read(workdir.task(task.config, task.id).results)).values()
    ]
    return encode(rows, format)
