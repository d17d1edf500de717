"""Find the tasks that a command line names."""

import difflib
from collections.abc import Sequence

from accsearch.checkpoint.audit import audit
from accsearch.checkpoint.plan import stored_plans
from accsearch.errors import UsageError
from accsearch.task import FailureReason, Task, TaskState
from accsearch.workdir import WorkDir


def find_task(workdir: WorkDir, name: str) -> Task:
    """Return the task named `TASK` or `CONFIG/TASK`; raises UsageError if there is none, or several."""
    tasks = [task for plan in stored_plans(workdir) for task in (*plan.grid.tasks, *plan.outside.tasks)]
    found = [task for task in tasks if name in (task.id, task.name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{name} is ambiguous: {', '.join(task.name for task in found)}")
    near = difflib.get_close_matches(name, [n for task in tasks for n in (task.id, task.name)], n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise UsageError(f"no task {name} in {workdir.root}{hint}")


def failed_tasks(workdir: WorkDir, names: Sequence[str], reasons: frozenset[FailureReason]) -> list[Task]:
    """Return the failed tasks, of those named (all when none is) and of those reasons (any when empty).

    Raises UsageError for a named task that has not failed.
    """
    wanted = {find_task(workdir, name).name for name in names}
    failed = {
        record.task.name: record
        for plan in stored_plans(workdir)
        for record in audit(workdir, plan.grid, keep_stale=True)
        if record.state is TaskState.FAILED
    }
    if unfailed := sorted(wanted - failed.keys()):
        raise UsageError(f"not failed: {', '.join(unfailed)}")
    return [
        record.task
        for name, record in failed.items()
        if (not wanted or name in wanted)
        and (not reasons or (record.failed is not None and record.failed.reason in reasons))
    ]
