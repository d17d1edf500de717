"""The stored line of a trial that is to be measured again."""

from accsearch.errors import UsageError
from accsearch.result_lines.file import latest, read
from accsearch.result_lines.line import ResultLine
from accsearch.task import Task
from accsearch.workdir import TaskPaths


def stored_line(paths: TaskPaths, task: Task, trial: str) -> ResultLine:
    """Return the last line of `trial`; raises UsageError where the task has no such trial, or no result of it."""
    trials = [each.id for each in task.trials]
    if trial not in trials:
        raise UsageError(f"{task.name} has no trial {trial}; it has {', '.join(trials)}")
    line = latest(read(paths.results)).get(trial)
    if line is None or line.status != "ok":
        raise UsageError(f"{task.name}: {trial} has no result to compare with")
    return line
