"""DeepCache by its package; it looks its step up by the timestep, so it is wrong where timesteps repeat."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from DeepCache import DeepCacheSDHelper

from accsearch.task import Scalar
from accsearch.worker.methods.session import Invoke, Session, Unsupported
from accsearch.worker.methods.snapshot import untouched


@contextmanager
def deepcache(session: Session, invoke: Invoke, parameters: Mapping[str, Scalar]) -> Iterator[Invoke]:
    """Enable `DeepCacheSDHelper` on the session's pipeline."""
    needs_mid_block(session)
    with untouched(session.pipeline, session.denoiser):
        helper = DeepCacheSDHelper(pipe=session.pipeline)
        helper.set_params(**parameters)
        helper.enable()
        yield invoke


def needs_mid_block(session: Session) -> None:
    """Refuse a UNet without mid block (segmind/tiny-sd, BK-SDM), on which the package fails."""
    if session.denoiser.mid_block is None:
        raise Unsupported(
            "deepcache: its package needs a mid block, which this UNet lacks; `native` needs none"
        )
