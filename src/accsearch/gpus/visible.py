"""Which GPUs a run may use: CUDA_VISIBLE_DEVICES as CUDA reads it, then `--gpus`, then the excluded ones."""

import re
from collections.abc import Iterable, Sequence

from accsearch.errors import UsageError
from accsearch.gpus.device import Device

NONE = "none"


def select(
    devices: Sequence[Device],
    cuda_visible_devices: str | None,
    gpus_option: str | None,
    exclude: Iterable[str | int] = (),
) -> list[Device]:
    """Return the devices that may be used, in PCI bus order; none at all is a valid answer.

    Numbers in the mask and in the option are positions in PCI bus order. Raises UsageError if the option
    names a GPU that there is not, or that the mask hides.
    """
    barred = admissions(devices, cuda_visible_devices, gpus_option, exclude)
    return [device for device, why in barred if why is None]


def admissions(
    devices: Sequence[Device],
    cuda_visible_devices: str | None,
    gpus_option: str | None,
    exclude: Iterable[str | int] = (),
) -> list[tuple[Device, str | None]]:
    """Return each device with the reason why it may not be used, None if it may; raises as `select` does."""
    visible = set(devices) if cuda_visible_devices is None else _visible(devices, cuda_visible_devices)
    chosen = set(devices) if gpus_option is None else _chosen(devices, gpus_option, visible)
    excluded = {device for entry in exclude for device in named(devices, str(entry))}

    def why_not(device: Device) -> str | None:
        if device.unusable is not None:
            return device.unusable
        if device not in visible:
            return f"not in CUDA_VISIBLE_DEVICES={cuda_visible_devices}"
        if device not in chosen:
            return f"not in --gpus {gpus_option}"
        return "excluded by the configuration (gpus.exclude)" if device in excluded else None

    return [(device, why_not(device)) for device in devices]


def named(devices: Sequence[Device], name: str) -> list[Device]:
    """Return the device of an index, `GPU:INSTANCE` or UUID (or its beginning), with its instances."""
    name = name.strip()
    if re.fullmatch(r"\d+(:\d+)?", name):
        found = [device for device in devices if device.label == name]
    elif name.startswith(("GPU-", "MIG-")):
        exact = [device for device in devices if device.uuid == name]
        found = exact or [device for device in devices if device.uuid.startswith(name)]
    else:
        found = []
    if len(found) != 1:
        return []
    return found + [device for device in devices if device.parent and device.parent == found[0].uuid]


def _visible(devices: Sequence[Device], mask: str) -> set[Device]:
    """Read a mask as CUDA does: what follows an invalid entry is ignored, a repeated entry leaves nothing."""
    visible: set[Device] = set()
    for entry in mask.split(","):
        # CUDA reads a leading number and ignores what follows it.
        number = re.match(r"\s*\+?(\d+)", entry)
        found = named(devices, str(int(number[1])) if number else entry)
        if not found:
            break
        if found[0] in visible:
            return set()
        visible.update(found)
    return visible


def _chosen(devices: Sequence[Device], option: str, visible: set[Device]) -> set[Device]:
    if option.strip().lower() == NONE:
        return set()
    chosen: set[Device] = set()
    for entry in option.split(","):
        found = named(devices, entry)
        if not found:
            known = ", ".join(device.label for device in devices) or "none"
            raise UsageError(
                f"--gpus {option}: no GPU {entry.strip()!r}; this machine has {known} (see `accsearch gpus`)"
            )
        if not visible.intersection(found):
            raise UsageError(f"--gpus {option}: CUDA_VISIBLE_DEVICES hides GPU {entry.strip()}")
        chosen.update(found)
    return chosen
