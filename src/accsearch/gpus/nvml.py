"""Ask the driver about the GPUs, through nvidia-ml-py; what driver or device lacks is unknown."""

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

from accsearch.errors import NoGpuError
from accsearch.gpus.device import ComputeMode, Device, DriverLost, GpuLost, Process, Reading, SmClock
from accsearch.gpus.idle import PROHIBITED

WITHOUT_GPUS = "run on the CPU with `--gpus none --slots N`"
CLOCK_REASONS = {
    0x2: "applications_clocks",
    0x4: "sw_power_cap",
    0x8: "hw_slowdown",
    0x10: "sync_boost",
    0x20: "sw_thermal_slowdown",
    0x40: "hw_thermal_slowdown",
    0x80: "hw_power_brake",
    0x100: "display_clock",
    0x200: "board_limit",
    0x400: "reliability",
}
"""Bits of NVML's clocks event reasons; the lowest one, that the GPU is idle, holds nothing down."""


@contextlib.contextmanager
def open_nvml() -> Iterator["Nvml"]:
    """Open the driver's library while the context lasts; raises NoGpuError where there is none."""
    # Imported here because it costs tens of milliseconds that a run without GPUs should not pay.
    import pynvml

    nvml = Nvml(pynvml)
    try:
        yield nvml
    finally:
        nvml.close()


class Nvml:
    """An open NVML; `read` may be called for any UUID that `devices` returned."""

    def __init__(self, api: Any) -> None:
        self._api = api
        # A mismatch error (an unversioned call on an older library) is not an NVMLError.
        self._errors = (api.NVMLError, api.NVMLLibraryMismatchError)
        self._lost_codes = {
            api.NVML_ERROR_GPU_IS_LOST,
            api.NVML_ERROR_RESET_REQUIRED,
            api.NVML_ERROR_GPU_NOT_FOUND,
        }
        # What a driver or device may lack; anything else that it answers is trouble. A mismatch has no value.
        self._lacking_codes = {
            api.NVML_ERROR_NOT_SUPPORTED,
            api.NVML_ERROR_FUNCTION_NOT_FOUND,
            api.NVML_ERROR_NO_PERMISSION,
            None,
        }
        self._compute_modes = {
            api.NVML_COMPUTEMODE_EXCLUSIVE_THREAD: ComputeMode.EXCLUSIVE,
            api.NVML_COMPUTEMODE_EXCLUSIVE_PROCESS: ComputeMode.EXCLUSIVE,
            api.NVML_COMPUTEMODE_PROHIBITED: ComputeMode.PROHIBITED,
        }
        self._handles: dict[str, Any] = {}
        self._lost: set[str] = set()
        self._is_open = True
        self._pid = os.getpid()
        self._open()

    def _open(self) -> None:
        try:
            self._api.nvmlInitWithFlags(0)
        except self._errors as error:
            raise NoGpuError(f"{_absence(self._api, error)}; {WITHOUT_GPUS}") from error

    def close(self) -> None:
        """Shut the library down; a no-op in a forked child, where the library is still the parent's."""
        if os.getpid() == self._pid:
            with contextlib.suppress(*self._errors):
                self._api.nvmlShutdown()

    def driver_version(self) -> str:
        """Return the driver's version, or "unknown"."""
        return str(self._known(self._api.nvmlSystemGetDriverVersion) or "unknown")

    def cuda_version(self) -> tuple[int, int] | None:
        """Return the newest CUDA (major, minor) that the driver supports, None if it does not say."""
        version = self._known(self._api.nvmlSystemGetCudaDriverVersion_v2)
        return None if version is None else (version // 1000, version % 1000 // 10)

    def devices(self) -> list[Device]:
        """Return every GPU in PCI bus order, a GPU in MIG mode followed by its instances.

        A GPU that does not answer, and one in MIG mode, is listed with the reason why it is not offered.
        """
        try:
            count = self._api.nvmlDeviceGetCount()
        except self._errors as error:
            raise NoGpuError(
                f"the NVIDIA driver does not count its GPUs ({error}); {WITHOUT_GPUS}"
            ) from error
        found = [self._describe(index) for index in range(count)]
        if all(bus is not None for bus, _ in found):
            found.sort(key=lambda pair: pair[0] or ())
        return [Device(index, **fields) for index, (_, listed) in enumerate(found) for fields in listed]

    def read(self, uuid: str) -> Reading:
        """Look at one GPU; raises GpuLost if it does not answer; a later call sees it come back."""
        try:
            return self._read(self._handle(uuid))
        except GpuLost:
            self._lost.add(uuid)
            self._handles.pop(uuid, None)
            raise

    def clock(self, uuid: str) -> SmClock:
        """Return the clock and what holds it down; raises GpuLost if the GPU does not answer."""
        handle = self._handle(uuid)
        mhz = self._known(self._api.nvmlDeviceGetClockInfo, handle, self._api.NVML_CLOCK_SM)
        # The older name of the function, which drivers before 535 know alone.
        bits = self._known(self._api.nvmlDeviceGetCurrentClocksEventReasons, handle)
        if bits is None:
            bits = self._known(self._api.nvmlDeviceGetCurrentClocksThrottleReasons, handle)
        reasons = frozenset(name for bit, name in CLOCK_REASONS.items() if (bits or 0) & bit)
        return SmClock(None if mhz is None else int(mhz), reasons)

    def processes(self, uuid: str) -> tuple[Process, ...]:
        """Return who is on one GPU; raises GpuLost where it does not answer."""
        return self._processes(self._handle(uuid))

    def _handle(self, uuid: str) -> Any:
        if uuid in self._lost or not self._is_open:
            self._reopen()
        if uuid not in self._handles:
            try:
                self._handles[uuid] = self._api.nvmlDeviceGetHandleByUUID(uuid)
            except self._errors as error:
                raise GpuLost(f"{uuid}: {error}") from error
        return self._handles[uuid]

    def _reopen(self) -> None:
        """Open the library anew, which alone finds a GPU that came back; raises DriverLost."""
        self.close()
        self._handles.clear()
        self._lost.clear()
        self._is_open = False
        try:
            self._open()
        except NoGpuError as error:
            raise DriverLost(str(error)) from error
        self._is_open = True

    def _read(self, handle: Any) -> Reading:
        used, free, total = self._memory(handle)
        rates = self._known(self._api.nvmlDeviceGetUtilizationRates, handle)
        milliwatts = self._known(self._api.nvmlDeviceGetPowerUsage, handle)
        return Reading(
            utilization=None if rates is None else int(rates.gpu),
            memory_used=used,
            memory_free=free,
            memory_total=total,
            processes=self._processes(handle),
            power_watts=None if milliwatts is None else milliwatts / 1000,
            compute_mode=self._compute_mode(handle),
        )

    def _compute_mode(self, handle: Any) -> ComputeMode | None:
        return self._compute_modes.get(self._known(self._api.nvmlDeviceGetComputeMode, handle))

    def _memory(self, handle: Any) -> tuple[int | None, int | None, int | None]:
        # Version 2 does not count the driver's own reserve as used.
        memory = self._known(self._api.nvmlDeviceGetMemoryInfo, handle, self._api.nvmlMemory_v2)
        if memory is None or not memory.total:
            try:
                memory = self._api.nvmlDeviceGetMemoryInfo(handle)
            except self._errors as error:
                # Without its memory a GPU would pass as idle, so only what may be lacking is taken as unknown.
                if getattr(error, "value", None) not in self._lacking_codes:
                    raise GpuLost(str(error)) from error
                return (None, None, None)
        if not memory.total:
            # Memory shared with the CPU: some drivers answer zeros where others say "not supported".
            return (None, None, None)
        return (int(memory.used), int(memory.free), int(memory.total))

    def _processes(self, handle: Any) -> tuple[Process, ...]:
        found: dict[int, Process] = {}
        for kind in ("Graphics", "Compute"):
            listed = self._known(getattr(self._api, f"nvmlDeviceGet{kind}RunningProcesses_v3"), handle)
            if listed is None and kind == "Compute":
                listed = self._known(self._api.nvmlDeviceGetComputeRunningProcesses_v2, handle)
            found |= {p.pid: Process(p.pid, p.usedGpuMemory, kind == "Graphics") for p in listed or ()}
        return tuple(found.values())

    def _describe(self, index: int) -> tuple[tuple[int, ...] | None, list[dict[str, Any]]]:
        """Return the PCI address of a GPU, if known, and the fields of its Device and of its instances."""
        try:
            handle = self._api.nvmlDeviceGetHandleByIndex(index)
            uuid = str(self._api.nvmlDeviceGetUUID(handle))
            pci = self._known(self._api.nvmlDeviceGetPciInfo_v3, handle)
            gpu = self._fields(handle, uuid)
            mode = self._compute_mode(handle)
            instances = self._instances(handle, uuid) if self._in_mig_mode(handle) else None
        except (*self._errors, GpuLost) as error:
            return None, [{"uuid": "", "name": "unknown", "unusable": f"lost: {error}"}]
        if mode is ComputeMode.PROHIBITED:
            gpu["unusable"] = PROHIBITED
        if instances is not None:
            gpu["unusable"] = "in MIG mode: its instances are offered instead"
        return (pci and (pci.domain, pci.bus, pci.device)), [gpu, *(instances or [])]

    def _fields(self, handle: Any, uuid: str) -> dict[str, Any]:
        self._handles[uuid] = handle
        name = self._known(self._api.nvmlDeviceGetName, handle)
        return {"uuid": uuid, "name": str(name or "unknown"), "memory_total": self._memory(handle)[2]}

    def _in_mig_mode(self, handle: Any) -> bool:
        mode = self._known(self._api.nvmlDeviceGetMigMode, handle)
        return mode is not None and mode[0] == 1

    def _instances(self, handle: Any, parent: str) -> list[dict[str, Any]]:
        found = []
        for number in range(self._known(self._api.nvmlDeviceGetMaxMigDeviceCount, handle) or 0):
            instance = self._known(self._api.nvmlDeviceGetMigDeviceHandleByIndex, handle, number)
            uuid = None if instance is None else self._known(self._api.nvmlDeviceGetUUID, instance)
            if uuid is not None:
                found.append(self._fields(instance, str(uuid)) | {"mig": number, "parent": parent})
        return found

    def _known(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Return what `call` answers, None where that is not known; raises GpuLost for a lost device."""
        try:
            return call(*arguments)
        except self._errors as error:
            if getattr(error, "value", None) in self._lost_codes:
                raise GpuLost(str(error)) from error
            return None


def _absence(api: Any, error: Exception) -> str:
    """Say in words why the library could not be opened."""
    match getattr(error, "value", None):
        case api.NVML_ERROR_LIBRARY_NOT_FOUND:
            return "no NVIDIA driver on this machine (libnvidia-ml.so.1 not found)"
        case api.NVML_ERROR_DRIVER_NOT_LOADED:
            return "the NVIDIA driver is not loaded"
        case api.NVML_ERROR_LIB_RM_VERSION_MISMATCH:
            return "the NVIDIA driver was updated while loaded: reload it or restart the machine"
        case api.NVML_ERROR_FUNCTION_NOT_FOUND:
            return "the NVIDIA driver is too old (NVML without nvmlInitWithFlags)"
        case _:
            return f"the NVIDIA driver does not start ({error})"
