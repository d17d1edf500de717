"""A task on its way through one run."""

from collections.abc import Set
from dataclasses import dataclass, field

from accsearch.checkpoint.markers import Failed
from accsearch.config.schema import Config
from accsearch.scheduler.policy import Tries
from accsearch.task import TRANSITIONS, Task, TaskState
from accsearch.workdir import TaskPaths


@dataclass(slots=True, eq=False)
class QueuedTask:
    """What the loop knows of a task; `attempt` is the last one started, in this run or an earlier one."""

    task: Task
    config: Config
    paths: TaskPaths
    ids: Set[str]
    """Those of all tasks of its grid."""
    tries: Tries
    attempt: int = 0
    state: TaskState = TaskState.PENDING
    failed: Failed | None = None
    expected: float | None = None
    """Predicted seconds, None if nothing is known."""
    wants_room: bool = False
    """Whether it has run out of memory and is to start where most is free."""
    not_before: float = 0.0
    """Monotonic seconds at which a retry may start."""
    failed_on: dict[str, float] = field(default_factory=dict)
    """GPUs on which it failed in a way that may have been theirs, and when (monotonic seconds)."""
    given_back: int = 0
    """How often its worker left the GPU to another process."""
    memory: int | None = None
    """Bytes that it is expected to need on a GPU."""

    def become(self, state: TaskState) -> None:
        """Change state; a change that the transition table does not allow is a bug."""
        if state not in TRANSITIONS[self.state]:
            raise AssertionError(f"{self.task.name}: {self.state} cannot become {state}")
        self.state = state
