"""Open the executor of a run by its name; what only a cluster needs is imported with its executor."""

from importlib.util import find_spec

from accsearch.errors import UsageError
from accsearch.executors.executor import Executor
from accsearch.executors.local import NAME as LOCAL
from accsearch.executors.local import LocalExecutor
from accsearch.executors.setup import Setup


def open_executor(name: str, setup: Setup) -> Executor:
    """Return the executor of this name; raises UsageError where there is none or it lacks something."""
    if name == LOCAL:
        if setup.address is not None:
            raise UsageError("--address names a cluster: give --executor, too")
        return LocalExecutor()
    if name == "ray":
        if find_spec("ray") is None:
            raise UsageError("--executor ray needs Ray: pip install 'accsearch[ray]'")
        from accsearch.executors.ray import RayExecutor

        return RayExecutor(setup)
    if name == "slurm":
        from accsearch.executors.slurm import SlurmExecutor

        return SlurmExecutor(setup)
    raise UsageError(f"no executor {name!r}; there is {LOCAL}, ray, slurm")
