"""What is known of a GPU, apart from where it was read."""

from dataclasses import dataclass
from enum import StrEnum

from accsearch.errors import NoGpuError


class GpuLost(NoGpuError):
    """A GPU that no longer answers: it fell off the bus, needs a reset, or its MIG instance is gone."""


class DriverLost(GpuLost):
    """The driver's library does not open any more, which says nothing of a GPU that is at work."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process on a GPU; `memory` (bytes) is None where the driver does not say."""

    pid: int
    memory: int | None
    graphics: bool = False


class ComputeMode(StrEnum):
    """A compute mode (`nvidia-smi -c`) that keeps processes away; the default mode keeps none away."""

    EXCLUSIVE = "Exclusive Process"
    """One process at a time."""
    PROHIBITED = "Prohibited"
    """No process may use CUDA."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at a GPU; None is unknown, never zero. Memory in bytes, utilisation in percent."""

    utilization: int | None
    memory_used: int | None
    memory_free: int | None
    memory_total: int | None
    processes: tuple[Process, ...] = ()
    power_watts: float | None = None
    compute_mode: ComputeMode | None = None

    def compute_pids(self) -> frozenset[int]:
        """Return the processes that compute; a desktop's graphics contexts are no one's task."""
        return frozenset(process.pid for process in self.processes if not process.graphics)


@dataclass(frozen=True, slots=True)
class SmClock:
    """The clock of a GPU's multiprocessors, None where unknown, and the names of the reasons that hold it down."""

    sm_mhz: int | None
    reasons: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU or one of its MIG instances.

    `index` is the position in PCI bus order, as CUDA counts with CUDA_DEVICE_ORDER=PCI_BUS_ID; an instance
    has the index of its GPU, and its own number in `mig`. `unusable` says why it cannot be offered, if so.
    """

    index: int
    uuid: str
    name: str
    memory_total: int | None = None
    mig: int | None = None
    parent: str | None = None
    unusable: str | None = None

    @property
    def label(self) -> str:
        """How a user names it: `0`, or `0:1` for a MIG instance."""
        return str(self.index) if self.mig is None else f"{self.index}:{self.mig}"
