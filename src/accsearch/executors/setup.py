"""What an executor of a cluster is opened with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from accsearch.config.gpu_limits import strictest
from accsearch.config.schema import ClusterConfig, Config, GpuConfig
from accsearch.errors import UsageError
from accsearch.workdir import WorkDir


@dataclass(frozen=True, slots=True)
class Setup:
    """What an executor of a cluster is opened with; `say` takes a line for the user."""

    workdir: WorkDir
    configs: Sequence[Config]
    on_gpus: bool
    """Whether each task gets a GPU."""
    most: int | None
    """Tasks at once at most, by the command line."""
    address: str | None
    """Where the cluster is, by the command line."""
    say: Callable[[str], None]

    @property
    def cluster(self) -> ClusterConfig:
        """The section of the configurations; raises UsageError where they contradict each other."""
        first = self.configs[0]
        for other in self.configs[1:]:
            if other.cluster != first.cluster:
                raise UsageError(f"{first.name} and {other.name} run together and differ in `cluster:`")
        return first.cluster

    @property
    def limits(self) -> GpuConfig:
        """When a GPU counts as idle: the limits that satisfy every configuration."""
        return strictest([config.gpus for config in self.configs])
