"""The driver, the GPUs, and whether torch can use them."""

import os
from collections.abc import Iterator, Mapping

from accsearch.doctor.finding import Finding, Severity
from accsearch.doctor.packages import torch_cuda, version_of
from accsearch.errors import NoGpuError, StorageError
from accsearch.gpus.lease_files import lease_folder
from accsearch.gpus.nvml import Nvml, open_nvml
from accsearch.gpus.pinning import VISIBLE
from accsearch.gpus.visible import admissions


def check_graphics(environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Look at the driver, its GPUs, torch's CUDA and the folder of leases."""
    try:
        with open_nvml() as nvml:
            yield from _gpus(nvml, environment.get(VISIBLE))
    except NoGpuError as error:
        yield Finding("GPUs", Severity.NOTE, str(error))
    else:
        yield _lease_folder()


def _gpus(nvml: Nvml, mask: str | None) -> Iterator[Finding]:
    driver_cuda = nvml.cuda_version()
    supports = f", supports CUDA {driver_cuda[0]}.{driver_cuda[1]}" if driver_cuda else ""
    yield Finding("driver", Severity.OK, f"{nvml.driver_version()}{supports}")
    devices = nvml.devices()
    if not devices:
        yield Finding("GPUs", Severity.WARNING, "the NVIDIA driver sees no GPU")
    for device, why in admissions(devices, mask, None):
        lost = device.unusable is not None and not device.uuid
        level = Severity.WARNING if lost else Severity.NOTE if why else Severity.OK
        name = f"{device.name} {device.uuid}".strip()
        yield Finding(f"GPU {device.label}", level, f"{name}{f': {why}' if why else ''}")
    if version_of("torch") is not None and devices:
        yield _torch(torch_cuda(), driver_cuda)


def _torch(built_for: str | None, driver: tuple[int, int] | None) -> Finding:
    if built_for is None:
        return Finding(
            "torch", Severity.WARNING, "a CPU build, which cannot use the GPUs; install torch for CUDA"
        )
    if driver is not None and int(built_for.split(".")[0]) > driver[0]:
        return Finding(
            "torch",
            Severity.WARNING,
            f"built for CUDA {built_for}, the driver supports {driver[0]}.{driver[1]}: update it",
        )
    return Finding("torch", Severity.OK, f"built for CUDA {built_for}")


def _lease_folder() -> Finding:
    try:
        return Finding("leases", Severity.OK, str(lease_folder()))
    except StorageError as error:
        return Finding("leases", Severity.ERROR, str(error))
