"""The GPU that a cluster has given to a process on a node: leased, found idle, and looked at again between tasks.

A cluster counts GPUs without looking at them, so that one which it gives away may be at work for somebody else.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from accsearch.errors import NoGpuError, StorageError
from accsearch.gpus.device import Device, GpuLost, Reading
from accsearch.gpus.idle import INTERVAL, IdleLimits, IdleTest, ReleaseState, released
from accsearch.gpus.lease import Lease, acquire, holder
from accsearch.gpus.nvml import Nvml, open_nvml
from accsearch.gpus.owner import describe_process
from accsearch.gpus.pinning import visible_gpus
from accsearch.gpus.visible import select

LINGER_FIRST, LINGER_LONGEST = 0.05, 1.0
"""Seconds between two looks at memory that an ended worker still holds, growing from one to the other."""


class NodeLimits(IdleLimits, Protocol):
    """The settings of `gpus` in the configuration that decide about one GPU."""

    @property
    def exclude(self) -> tuple[str, ...]: ...
    @property
    def release_timeout(self) -> float: ...


class NodeGpu:
    """The first GPU in this process' CUDA_VISIBLE_DEVICES; `reserve` waits, everything else answers at once."""

    def __init__(self, limits: NodeLimits) -> None:
        self._limits = limits
        self._stack = ExitStack()
        self._nvml: Nvml | None = None
        self._device: Device | None = None
        self._lease: Lease | None = None
        self._before: Reading | None = None

    @property
    def uuid(self) -> str | None:
        return None if self._device is None else self._device.uuid

    @property
    def lease(self) -> int | None:
        """The descriptor of the lease that a worker inherits."""
        return None if self._lease is None else self._lease.fileno()

    def reserve(self, workdir: Path, is_stopped: Callable[[], bool]) -> str | None:
        """Make sure that the GPU is idle and leased; return why a worker must not start on it, None if it may.

        `workdir` is named to those who ask for the lease's holder. Gives up early once `is_stopped`.
        """
        try:
            if self._nvml is None:
                self._nvml = self._stack.enter_context(open_nvml())
            device = self._device = self._device or _given(self._nvml, self._limits)
            why = (
                self._enter(self._nvml, device, workdir, is_stopped)
                if self._lease is None
                else self._await_release(self._nvml, device, is_stopped)
            )
        except (NoGpuError, StorageError) as error:
            why = str(error)
        if why is None:
            return None
        self._give_back()
        return f"GPU {self._device.label}: {why}" if self._device is not None else why

    def close(self) -> None:
        """Give the GPU back; workers that inherited the lease hold it on."""
        self._give_back()
        self._stack.close()

    def _give_back(self) -> None:
        if self._lease is not None:
            self._lease.close()
            self._lease = None

    def _enter(self, nvml: Nvml, device: Device, workdir: Path, is_stopped: Callable[[], bool]) -> str | None:
        """Lease the GPU and test whether it is idle."""
        self._lease = acquire(device.uuid, workdir)
        if self._lease is None:
            return str(holder(device.uuid) or "leased by another process")
        test = IdleTest(self._limits, describe_process)
        while not is_stopped():
            self._before = nvml.read(device.uuid)
            test.add(self._before, time.monotonic())
            verdict = test.verdict()
            if verdict.idle is not None:
                return None if verdict.idle else verdict.why
            time.sleep(INTERVAL)
        return "stopped"

    def _await_release(self, nvml: Nvml, device: Device, is_stopped: Callable[[], bool]) -> str | None:
        """Wait until the GPU is free of the worker before."""
        give_up_at = time.monotonic() + self._limits.release_timeout
        pause = LINGER_FIRST
        while not is_stopped():
            reading = nvml.read(device.uuid)
            own = {pid for pid in reading.compute_pids() if not Path(f"/proc/{pid}").exists()}
            outcome = released(reading, self._before or reading, own, self._limits, describe_process)
            if outcome.state is ReleaseState.FREE:
                return None
            if outcome.state is ReleaseState.FOREIGN or time.monotonic() >= give_up_at:
                return outcome.why
            time.sleep(pause)
            pause = min(2 * pause, LINGER_LONGEST)
        return "stopped"


def _given(nvml: Nvml, limits: NodeLimits) -> Device:
    """Return the one GPU that this process was given; raises GpuLost where the driver does not know it."""
    devices, mask = nvml.devices(), visible_gpus()
    visible = select(devices, mask, None)
    if not visible:
        raise GpuLost(f"the driver knows no GPU of CUDA_VISIBLE_DEVICES={mask}")
    if visible[0] not in select(devices, mask, None, limits.exclude):
        raise GpuLost(f"GPU {visible[0].label} is excluded by the configuration (gpus.exclude)")
    return visible[0]
