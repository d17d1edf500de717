"""The device files that a sandboxed program may use: those of its evaluation's GPUs and of no other GPU."""

import re
from collections.abc import Sequence
from pathlib import Path

from accsearch.errors import NoGpuError, UsageError
from accsearch.gpus.device import Device
from accsearch.gpus.nvml import open_nvml
from accsearch.gpus.visible import select

CONTROL = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools")
"""What every GPU needs; none of them reaches a GPU by itself."""

MIG = "nvidia-caps"
"""One file for each instance of a GPU in MIG mode."""

DEVICES, DRIVER = Path("/dev"), Path("/proc/driver/nvidia/gpus")
_FIELD = re.compile(r"^(GPU UUID|Device Minor):\s*(\S+)", re.MULTILINE)


def device_files(visible: str | None, devices: Path = DEVICES, driver: Path = DRIVER) -> list[str]:
    """Return the device files of the GPUs in `visible`, read as CUDA_VISIBLE_DEVICES is.

    Raises UsageError if one's file cannot be separated from those of other GPUs.
    """
    if not _nodes(devices) or (visible is not None and not visible.strip()):
        return []
    try:
        with open_nvml() as nvml:
            gpus = select(nvml.devices(), visible, None)
    except NoGpuError:
        # There are device files all the same: the UUIDs in the variable say which to use.
        gpus = [Device(0, name.strip(), "unknown") for name in (visible or "").split(",")]
    return files_of(gpus, devices, driver)


def files_of(gpus: Sequence[Device], devices: Path, driver: Path) -> list[str]:
    """Return the files below `devices` that belong to `gpus`, as the files below `driver` number them.

    Raises UsageError for a GPU that the driver does not mention, where there are several.
    """
    numbers = _numbers(driver)
    nodes = _nodes(devices)
    chosen: dict[Path, None] = {}
    for uuid in (gpu.parent or gpu.uuid for gpu in gpus):
        if uuid in numbers:
            chosen[devices / f"nvidia{numbers[uuid]}"] = None
        elif len(nodes) == 1:
            chosen[nodes[0]] = None
        else:
            raise UsageError(
                f"{driver} does not say which of {devices}/nvidia* is {uuid or 'to be used'}: use --device cpu"
            )
    if not chosen:
        return []
    shared = [*CONTROL, MIG] if any(gpu.parent for gpu in gpus) else CONTROL
    every = [*chosen, *(devices / name for name in shared)]
    return [str(path) for path in every if path.exists()]


def _nodes(devices: Path) -> list[Path]:
    return sorted(path for path in devices.glob("nvidia*") if path.name.removeprefix("nvidia").isdigit())


def _numbers(driver: Path) -> dict[str, str]:
    """Return the number of the device file of each UUID."""
    found: dict[str, str] = {}
    for path in driver.glob("*/information"):
        try:
            fields = dict(_FIELD.findall(path.read_text(encoding="utf-8", errors="replace")))
        except OSError:
            # The GPU fell off the bus.
            continue
        if len(fields) == 2:
            found[fields["GPU UUID"]] = fields["Device Minor"]
    return found
