"""Lend an idle GPU to a command that starts a worker itself, without a scheduler."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accsearch.errors import NoGpuError, NoIdleGpuError
from accsearch.gpus.device import Device
from accsearch.gpus.idle import IdleLimits
from accsearch.gpus.lease import acquire
from accsearch.gpus.nvml import open_nvml
from accsearch.gpus.pinning import pinned, visible_gpus
from accsearch.gpus.survey import survey
from accsearch.gpus.visible import select


@dataclass(frozen=True, slots=True)
class Loan:
    """The environment that pins a worker, and the descriptors of the leases that it inherits."""

    env: Mapping[str, str]
    leases: tuple[int, ...] = ()


NO_GPU = Loan(pinned(None))


@contextmanager
def lend(
    limits: IdleLimits,
    workdir: Path,
    *,
    option: str | None = None,
    exclude: Iterable[str | int] = (),
    rank: Callable[[Device], Any] = lambda device: 0,
) -> Iterator[Loan]:
    """Lease an idle GPU for a while, of several that with the lowest `rank`; `option` is that of `--gpus`.

    Raises NoGpuError without a GPU that may be used, NoIdleGpuError if each is busy, UsageError, StorageError.
    """
    mask = visible_gpus()
    with open_nvml() as nvml:
        if not select(nvml.devices(), mask, option, exclude):
            raise NoGpuError("no GPU that may be used (`accsearch gpus` says why)")
        rows = survey(nvml, limits, mask, exclude, option)
    for row in sorted(rows, key=lambda row: rank(row.device)):
        if row.idle and (lease := acquire(row.device.uuid, workdir)) is not None:
            break
    else:
        busy = "; ".join(f"GPU {row.device.label}: {row.why}" for row in rows)
        raise NoIdleGpuError(f"no GPU is idle now: {busy}")
    try:
        yield Loan(pinned(row.device.uuid), (lease.fileno(),))
    finally:
        lease.close()
