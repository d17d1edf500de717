"""DeepCache by its package; it looks its step up by the timestep, so it is wrong where timesteps repeat."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from DeepCache import DeepCacheSDHelper

from accsearch.task import Scalar
from accsearch.worker.methods.session import Invoke, Session
from accsearch.worker.methods.snapshot import untouched


@contextmanager
def deepcache(session: Session, invoke: Invoke, parameters: Mapping[str, Scalar]) -> Iterator[Invoke]:
    """Enable `DeepCacheSDHelper` on the session's pipeline."""
    with untouched(session.pipeline, session.denoiser):
        helper = DeepCacheSDHelper(pipe=session.pipeline)
        helper.set_params(**parameters)
        helper.enable()
        yield invoke
