"""A machine's GPUs as a test wants them: what the stand-in NVML library answers, changeable at any time.

Any process started with `StandIn.environment()` sees these GPUs through the real nvidia-ml-py. A worker that
should seem to hold memory writes the number of bytes to `$STANDIN_NVML_HOLDERS/$CUDA_VISIBLE_DEVICES/$$`; the
GPU then lists that process for as long as it lives.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.standin.build import library_folder

GIB = 1 << 30


def uuid_of(index: int) -> str:
    """Return the UUID of GPU `index` unless a test gave it another."""
    return f"GPU-{index:08x}-0000-4000-8000-{index:012x}"


class StandIn:
    """The GPUs of a pretended machine; every change is written at once.

    Fields of a GPU: uuid, name, bus, total, reserved, used (bytes), utilization (percent), power (mW),
    mig (0, 1), compute_mode (0 to 3; these four may be "unsupported"), memory ("unsupported", "zero"), clock (MHz),
    reasons (bits of what holds it down), linger (seconds that a dead holder's memory stays, -1 for ever), processes
    and graphics ({pid: bytes}), errors ({function or "*": code}), instances (a list of such fields, one a MIG
    instance).
    """

    def __init__(self, folder: Path, gpus: int = 1, missing: frozenset[str] = frozenset()) -> None:
        self.folder = folder / "standin"
        self.state = self.folder / "state"
        self.calls_file = self.folder / "calls"
        self.holders = self.folder / "holders"
        self.holders.mkdir(parents=True)
        self.library = library_folder(missing)
        self.errors: dict[str, int] = {}
        self.gpus: list[dict[str, Any]] = []
        for _ in range(gpus):
            self.add_gpu()
        self.write()

    def add_gpu(self, **fields: Any) -> None:
        """Add an idle H200, changed by `fields`."""
        index = len(self.gpus)
        self.gpus.append(
            {
                "uuid": uuid_of(index),
                "name": "NVIDIA H200",
                "bus": f"00000000:{0x10 + index:02X}:00.0",
                "total": 150_754_820_096,
                "reserved": 627_900_416,
                "used": 0,
                "utilization": 0,
                "power": 75_000,
                "mig": 0,
                "linger": 0,
            }
        )
        self.set_gpu(index, **fields)

    def set_gpu(self, index: int, **fields: Any) -> None:
        """Change fields of GPU `index`."""
        self.gpus[index].update(fields)
        self.write()

    def lose(self, index: int, code: int = 15) -> None:
        """Let every call on the GPU fail, by default with NVML_ERROR_GPU_IS_LOST."""
        self.set_gpu(index, errors={"*": code})

    def restore(self, index: int) -> None:
        """Bring a lost GPU back."""
        self.set_gpu(index, errors={})

    def uuid(self, index: int) -> str:
        return str(self.gpus[index]["uuid"])

    def hold(self, index: int, pid: int, size: int) -> None:
        """Let GPU `index` list process `pid` with `size` bytes for as long as it lives."""
        (self.holders / self.uuid(index) / str(pid)).write_text(f"{size}\n")

    def environment(self, base: dict[str, str] | None = None) -> dict[str, str]:
        """Return `base` (default: this process's environment) with the GPUs of this machine."""
        found = dict(os.environ if base is None else base)
        found.pop("CUDA_VISIBLE_DEVICES", None)
        older = found.get("LD_LIBRARY_PATH")
        return found | {
            "LD_LIBRARY_PATH": f"{self.library}:{older}" if older else str(self.library),
            "STANDIN_NVML_STATE": str(self.state),
            "STANDIN_NVML_CALLS": str(self.calls_file),
            "STANDIN_NVML_HOLDERS": str(self.holders),
            "ACCSEARCH_LEASES": str(self.folder / "leases"),
        }

    def answers(self, program: Sequence[str], changes: Iterable[dict[str, Any]]) -> list[str]:
        """Return what Python code, followed by its arguments, prints for a line after each change of GPU 0."""
        lines = []
        with subprocess.Popen(
            [sys.executable, "-c", *program],
            env=self.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdin is not None and child.stdout is not None
            for change in changes:
                self.set_gpu(0, **change)
                child.stdin.write("\n")
                child.stdin.flush()
                lines.append(child.stdout.readline().strip())
            child.stdin.close()
        return lines

    def calls(self) -> Counter[str]:
        """Return how often each function was called so far, by any process."""
        if not self.calls_file.exists():
            return Counter()
        return Counter(line.split()[0] for line in self.calls_file.read_text().splitlines())

    def write(self) -> None:
        """Write the state file, at once for the library's next call."""
        lines = ["driver 575.57.08", "cuda 12090"]
        lines += [f"error {function} {code}" for function, code in self.errors.items()]
        for gpu in self.gpus:
            lines += ["gpu", *self._device(gpu)]
            for instance in gpu.get("instances", ()):
                lines += ["instance", *self._device(instance)]
        temporary = self.state.with_suffix(".tmp")
        temporary.write_text("\n".join(lines) + "\n")
        temporary.rename(self.state)

    def _device(self, fields: dict[str, Any]) -> list[str]:
        holders = self.holders / fields["uuid"]
        holders.mkdir(exist_ok=True)
        lines = [f"  holders {holders} {fields.get('linger', 0)}"]
        for key, value in fields.items():
            match key:
                case "linger" | "instances":
                    continue
                case "processes" | "graphics" | "errors":
                    word = {"processes": "process", "graphics": "graphics", "errors": "error"}[key]
                    lines += [f"  {word} {left} {right}" for left, right in value.items()]
                case _:
                    lines.append(f"  {key} {value}")
        return lines
