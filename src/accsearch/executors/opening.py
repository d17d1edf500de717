"""Open the executor of a run by its name; what only a cluster needs is imported with its executor."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from accsearch.config.schema import ClusterConfig, Config
from accsearch.errors import UsageError
from accsearch.executors.executor import Executor
from accsearch.executors.local import NAME as LOCAL
from accsearch.executors.local import LocalExecutor
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


def open_executor(name: str, setup: Setup) -> Executor:
    """Return the executor of this name; raises UsageError where there is none or it lacks something."""
    if name == LOCAL:
        if setup.address is not None:
            raise UsageError("--address names a cluster: give --executor, too")
        return LocalExecutor()
    raise UsageError(f"no executor {name!r}; there is {LOCAL}")
