"""The table of `accsearch gpus`: every GPU, and why it is or is not idle."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from accsearch.gpus.device import Device, GpuLost, Reading
from accsearch.gpus.idle import INTERVAL, IdleLimits, IdleTest, Verdict
from accsearch.gpus.lease import holder
from accsearch.gpus.nvml import Nvml
from accsearch.gpus.owner import describe_process, process_user
from accsearch.gpus.visible import admissions


@dataclass(frozen=True, slots=True)
class Row:
    """One GPU of the table; `why` says why it is idle or not."""

    device: Device
    reading: Reading | None
    idle: bool
    why: str

    def to_json(self) -> dict[str, object]:
        """Return the contract's object for `gpus --json`, with what else is known."""
        reading = self.reading
        return {
            "index": self.device.index,
            "uuid": self.device.uuid,
            "name": self.device.name,
            "memory_total": self.device.memory_total,
            "memory_free": reading and reading.memory_free,
            "utilization": reading and reading.utilization,
            "idle": self.idle,
            "why": self.why,
            "mig": self.device.mig,
            "parent": self.device.parent,
            "memory_used": reading and reading.memory_used,
            "power_watts": reading and reading.power_watts,
            "processes": [
                {"pid": p.pid, "user": process_user(p.pid), "memory": p.memory}
                for p in (reading.processes if reading else ())
            ],
        }


def survey(
    nvml: Nvml,
    limits: IdleLimits,
    cuda_visible_devices: str | None,
    exclude: Iterable[str | int] = (),
    gpus_option: str | None = None,
    quarantined: Mapping[str, str] | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Row]:
    """Look at all GPUs at once, as often as the idle test asks; takes (samples - 1) half seconds in all.

    `quarantined` says of a UUID why a run has taken that GPU out.
    """
    devices = nvml.devices()
    tests = {device: IdleTest(limits, describe_process) for device in devices if device.uuid}
    readings: dict[Device, Reading] = {}
    lost: dict[Device, str] = {}
    for round_ in range(limits.samples):
        if round_:
            sleep(INTERVAL)
        for device in tests.keys() - lost.keys():
            try:
                readings[device] = nvml.read(device.uuid)
            except GpuLost as error:
                lost[device] = f"lost: {error}"
            else:
                tests[device].add(readings[device], clock())

    def row(device: Device, barred: str | None) -> Row:
        why = barred or lost.get(device) or (quarantined or {}).get(device.uuid)
        if why is None and (lease := holder(device.uuid)) is not None:
            why = str(lease)
        verdict = Verdict(False, why) if why is not None else tests[device].verdict()
        return Row(device, readings.get(device), bool(verdict.idle), verdict.why)

    admitted = admissions(devices, cuda_visible_devices, gpus_option, exclude)
    return [row(device, barred) for device, barred in admitted]
