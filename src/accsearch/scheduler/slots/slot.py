"""What the scheduler fills with tasks: the interface of one slot, and of all the slots of a run.

The defaults are those of slots that are always in order. A GPU can be leased, busy, lost or too small; a share of the
CPU cannot. Times are monotonic seconds, memory is in bytes.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence

from accsearch.gpus.pinning import pinned
from accsearch.scheduler.slots.gpu_health import GpuHealth
from accsearch.scheduler.slots.queued import QueuedTask


class Slot:
    """Holds one task at a time; `env` is what its workers get, `gpu` the UUID of its GPU."""

    def __init__(self, identity: str, env: Mapping[str, str], gpu: str | None = None) -> None:
        self.id = identity
        self.env = env
        self.gpu = gpu
        self.at_work = False
        self.memory: int | None = None
        """What is free for a task; None if unknown or not limited."""
        self.tolerated: frozenset[int] = frozenset()
        """Processes that were on the GPU when it was found idle."""

    def pins(self) -> Mapping[str, str]:
        """Return the variables by which a worker sees the slot's GPU alone, or none."""
        return pinned(self.gpu)

    @property
    def lease(self) -> int | None:
        """The descriptor of the lease that a worker inherits."""
        return None

    @property
    def held(self) -> bool:
        """Whether the slot is still this run's; the runner of an idle slot that is not is to be closed."""
        return True

    @property
    def trouble(self) -> str | None:
        """Why the slot at work has become unusable, None if it has not."""
        return None

    def admits(self, queued: QueuedTask) -> bool:
        """Return whether a task fits here."""
        return self.memory is None or queued.memory is None or queued.memory <= self.memory

    def confirm(self, now: float) -> bool:
        """Look once more, right before a start, whether the slot is still free."""
        return True

    def take(self, now: float, nonce: str | None = None) -> None:
        """Give the slot to a worker; with its `nonce`, look for other processes on its GPU while it starts."""
        self.at_work = True

    def free(self, now: float) -> str | None:
        """Take the slot back from an ended worker; return what is wrong with it, if that excuses a failure."""
        self.at_work = False
        return None

    def drop(self, now: float, why: str) -> None:
        """Give up a slot that no waiting task can use."""
        return


class Slots(ABC):
    """The slots of a run."""

    health: GpuHealth

    @abstractmethod
    def step(self, now: float, wanted: int, shunned: Collection[str] = ()) -> None:
        """Look for as many free slots as there are tasks that want one, and give up those in excess.

        `shunned` are the GPUs that no task wants.
        """

    @abstractmethod
    def ready(self) -> Sequence[Slot]:
        """Return the slots on which a task may start now, the best first."""

    @abstractmethod
    def why_none(self) -> str:
        """Say what a task without a slot waits for."""

    @abstractmethod
    def size(self) -> int:
        """Return how many tasks may run at once at best."""

    def next_step(self, now: float) -> float | None:
        """Return in how many seconds `step` is due, None for not before something ends."""
        return None

    def elsewhere(self, gpus: Collection[str]) -> bool:
        """Return whether a task that avoids `gpus` may get another one."""
        return False

    def has_larger(self, slot: Slot) -> bool:
        """Return whether a GPU that is not leased has considerably more free memory than `slot`."""
        return False

    def largest(self) -> int | None:
        """Return the memory of the largest slot, None if unknown or not limited."""
        return None

    def reserve(self, change: int) -> None:
        """Count `change` more tasks (fewer, if negative) that an earlier scheduler started."""
        return

    def close(self) -> None:
        """Give up every slot."""
        return
