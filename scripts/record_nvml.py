"""Record what a real driver answers to every NVML call that accsearch makes, raw: codes and struct values.

Usage, on a machine with a GPU (needs nvidia-ml-py alone):  python scripts/record_nvml.py OUTPUT.json

Three scenes are recorded for the first GPU: idle, while a child process holds memory (through libcuda, if it
can), and after that child has ended. The tests compare the stand-in library with the recording, call by call.
"""

import ctypes
import json
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pynvml

HELD = 1 << 30
HOLD = f"""
import ctypes, sys
cuda = ctypes.CDLL("libcuda.so.1")
device, context, memory = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_uint64()
steps = [
    lambda: cuda.cuInit(0),
    lambda: cuda.cuDeviceGet(ctypes.byref(device), 0),
    lambda: cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), device),
    lambda: cuda.cuCtxSetCurrent(context),
    lambda: cuda.cuMemAlloc_v2(ctypes.byref(memory), ctypes.c_size_t({HELD})),
]
print(next((code for code in (step() for step in steps) if code), 0), flush=True)
sys.stdin.read()
"""
ABSENT = "absent"


class Recorder:
    """Calls functions of the loaded library and notes each answer."""

    def __init__(self, library: Any, scene: str) -> None:
        self._library = library
        self._scene = scene
        self.calls: list[dict[str, Any]] = []

    def call(
        self, case: str, function: str, *arguments: Any, value: Callable[[], Any] = lambda: None
    ) -> int | str:
        """Make one call; `value` reads what it wrote. Returns its code, or "absent"."""
        try:
            code: int | str = getattr(self._library, function)(*arguments)
        except AttributeError:
            code = ABSENT
        answer = value() if code == 0 else None
        self.calls.append(
            {"scene": self._scene, "case": case, "function": function, "code": code, "value": answer}
        )
        return code

    def machine(self) -> int:
        """Record the calls without a device; return the number of GPUs."""
        for function in ("nvmlSystemGetDriverVersion", "nvmlSystemGetNVMLVersion"):
            text = ctypes.create_string_buffer(80)
            self.call("machine", function, text, 80, value=partial(_text, text))
        cuda, count = ctypes.c_int(), ctypes.c_uint()
        self.call(
            "machine", "nvmlSystemGetCudaDriverVersion_v2", ctypes.byref(cuda), value=lambda: cuda.value
        )
        self.call("machine", "nvmlDeviceGetCount_v2", ctypes.byref(count), value=lambda: count.value)
        handle = pynvml.c_nvmlDevice_t()
        self.call("beyond the last", "nvmlDeviceGetHandleByIndex_v2", count.value, ctypes.byref(handle))
        self.call("unknown uuid", "nvmlDeviceGetHandleByUUID", b"GPU-none", ctypes.byref(handle))
        self.call("not a uuid", "nvmlDeviceGetHandleByUUID", b"none", ctypes.byref(handle))
        return count.value

    def gpu(self, index: int) -> None:
        """Record the calls on one GPU."""
        handle = pynvml.c_nvmlDevice_t()
        if self.call("gpu", "nvmlDeviceGetHandleByIndex_v2", index, ctypes.byref(handle)):
            return
        for function in ("nvmlDeviceGetUUID", "nvmlDeviceGetName"):
            text = ctypes.create_string_buffer(96)
            self.call("gpu", function, handle, text, 96, value=partial(_text, text))
            if function == "nvmlDeviceGetUUID":
                again = pynvml.c_nvmlDevice_t()
                self.call("its uuid", "nvmlDeviceGetHandleByUUID", text.value, ctypes.byref(again))
        short = ctypes.create_string_buffer(4)
        self.call("short buffer", "nvmlDeviceGetUUID", handle, short, 4)
        self._structures(handle)
        self._numbers(handle)
        for kind in ("Compute", "Graphics"):
            for version in ("_v2", "_v3"):
                self._processes(handle, f"nvmlDeviceGet{kind}RunningProcesses{version}")

    def _structures(self, handle: Any) -> None:
        for function, kind in (
            ("nvmlDeviceGetPciInfo_v3", pynvml.nvmlPciInfo_t),
            ("nvmlDeviceGetMemoryInfo", pynvml.c_nvmlMemory_t),
            ("nvmlDeviceGetUtilizationRates", pynvml.c_nvmlUtilization_t),
        ):
            found = kind()
            self.call("gpu", function, handle, ctypes.byref(found), value=partial(_fields, found))
        for case, version in (("gpu", pynvml.nvmlMemory_v2), ("wrong version", 0x09000028)):
            memory = pynvml.c_nvmlMemory_v2_t()
            memory.version = version
            self.call(
                case,
                "nvmlDeviceGetMemoryInfo_v2",
                handle,
                ctypes.byref(memory),
                value=partial(_fields, memory),
            )

    def _numbers(self, handle: Any) -> None:
        for function, count in (
            ("nvmlDeviceGetIndex", 1),
            ("nvmlDeviceGetPowerUsage", 1),
            ("nvmlDeviceGetMigMode", 2),
            ("nvmlDeviceGetMaxMigDeviceCount", 1),
            ("nvmlDeviceGetCudaComputeCapability", 2),
            ("nvmlDeviceGetPersistenceMode", 1),
        ):
            numbers = [ctypes.c_uint() for _ in range(count)]
            self.call(
                "gpu",
                function,
                handle,
                *map(ctypes.byref, numbers),
                value=partial(_values, numbers),
            )
        instance = pynvml.c_nvmlDevice_t()
        self.call("no MIG", "nvmlDeviceGetMigDeviceHandleByIndex", handle, 0, ctypes.byref(instance))

    def _processes(self, handle: Any, function: str) -> None:
        count = ctypes.c_uint(0)
        # The size alone: SUCCESS for none, INSUFFICIENT_SIZE and the count for some.
        self.call("size", function, handle, ctypes.byref(count), None)
        self.calls[-1]["value"] = count.value
        room = count.value + 5
        count.value = room
        found = (pynvml.c_nvmlProcessInfo_v3_t * room)()
        self.call(
            "list",
            function,
            handle,
            ctypes.byref(count),
            found,
            value=lambda: [_fields(found[i]) for i in range(count.value)],
        )


def _text(buffer: Any) -> str:
    return str(buffer.value.decode())


def _values(numbers: list[ctypes.c_uint]) -> list[int]:
    return [number.value for number in numbers]


def _fields(found: Any) -> dict[str, Any]:
    values = {name: getattr(found, name) for name, *_ in found._fields_}
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in values.items()}


def record() -> dict[str, Any]:
    """Record the three scenes; leaves nothing running."""
    pynvml.nvmlInit()
    library = pynvml.nvmlLib
    idle = Recorder(library, "idle")
    count = idle.machine()
    for index in range(count):
        idle.gpu(index)
    held, after = Recorder(library, "held"), Recorder(library, "released")
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with child:
        assert child.stdout is not None
        code = child.stdout.readline().strip()
        if code == "0":
            held.gpu(0)
    if code == "0":
        # Some drivers free the memory a moment after the process has gone.
        time.sleep(2)
        after.gpu(0)
    uninitialized = Recorder(library, "shut down")
    pynvml.nvmlShutdown()
    uninitialized.call("machine", "nvmlDeviceGetCount_v2", ctypes.byref(ctypes.c_uint()))
    return {
        "holder": {"code": code or "no libcuda", "pid": child.pid, "bytes": HELD},
        "calls": [*idle.calls, *held.calls, *after.calls, *uninitialized.calls],
    }


if __name__ == "__main__":
    recorded = record()
    Path(sys.argv[1]).write_text(json.dumps(recorded, indent=1) + "\n")
    print(
        f"{len(recorded['calls'])} calls recorded, holder code {recorded['holder']['code']}", file=sys.stderr
    )
