"""The stand-in answers each call as a real driver did, in the scenes that were recorded on an H200."""

import ctypes
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.standin import StandIn

RECORDING = Path(__file__).with_name("recorded-h200.json")
RECORDER = Path(__file__).parents[2] / "scripts" / "record_nvml.py"
Call = dict[str, Any]
SCENES = ("idle", "held", "released", "shut down")


def scene(recording: dict[str, Any], name: str) -> dict[tuple[str, str], Call]:
    """Return the calls of a scene by case and function; of several GPUs the first."""
    calls: dict[tuple[str, str], Call] = {}
    for call in recording["calls"]:
        if call["scene"] == name:
            calls.setdefault((call["case"], call["function"]), call)
    return calls


@pytest.fixture(scope="module")
def real() -> dict[str, Any]:
    """The session recorded on a real machine by scripts/record_nvml.py."""
    found: dict[str, Any] = json.loads(RECORDING.read_text())
    return found


@pytest.fixture(scope="module")
def pretended(real: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same session on the stand-in, its memory as that of the real GPU, its holder a real process."""
    folder = tmp_path_factory.mktemp("recording")
    standin = StandIn(folder)
    memory = scene(real, "idle")["gpu", "nvmlDeviceGetMemoryInfo_v2"]["value"]
    standin.set_gpu(0, total=memory["total"], reserved=memory["reserved"], used=memory["used"])
    environment = standin.environment()
    build_libcuda(folder, environment)
    output = folder / "recorded.json"
    subprocess.run([sys.executable, RECORDER, output], env=environment, check=True, capture_output=True)
    found: dict[str, Any] = json.loads(output.read_text())
    return found


def build_libcuda(folder: Path, environment: dict[str, str]) -> None:
    """Put a libcuda beside the stand-in that holds memory on GPU 0 as a CUDA context does."""
    source = folder / "cuda.c"
    source.write_text(
        """
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int cuInit(unsigned flags) { (void)flags; return 0; }
int cuDeviceGet(int *device, int index) { *device = index; return 0; }
int cuDevicePrimaryCtxRetain(void **context, int device) { (void)device; *context = 0; return 0; }
int cuCtxSetCurrent(void *context) { (void)context; return 0; }
int cuMemAlloc_v2(unsigned long long *memory, size_t size) {
    char path[4096];
    *memory = 0;
    snprintf(path, sizeof path, "%s/%d", getenv("STANDIN_CUDA_HOLDERS"), (int)getpid());
    FILE *file = fopen(path, "w");
    if (!file) return 999;
    fprintf(file, "%zu", size);
    return fclose(file);
}
"""
    )
    library = folder / "cuda"
    library.mkdir()
    command = ["cc", "-shared", "-fPIC", "-o", str(library / "libcuda.so.1"), str(source)]
    subprocess.run(command, check=True)
    holders = next(Path(environment["STANDIN_NVML_HOLDERS"]).iterdir())
    environment["STANDIN_CUDA_HOLDERS"] = str(holders)
    environment["LD_LIBRARY_PATH"] = f"{library}:{environment['LD_LIBRARY_PATH']}"


def test_both_sessions_saw_a_process_hold_memory(real: dict[str, Any], pretended: dict[str, Any]) -> None:
    assert real["holder"]["code"] == "0"
    assert pretended["holder"]["code"] == "0"


@pytest.mark.parametrize("name", SCENES)
def test_codes_agree(real: dict[str, Any], pretended: dict[str, Any], name: str) -> None:
    expected = {case: call["code"] for case, call in scene(real, name).items()}
    found = {case: call["code"] for case, call in scene(pretended, name).items()}

    assert expected
    assert found == expected


@pytest.mark.parametrize("name", SCENES)
def test_values_have_the_same_shape(real: dict[str, Any], pretended: dict[str, Any], name: str) -> None:
    found = scene(pretended, name)
    for case, call in scene(real, name).items():
        assert shape(found[case]["value"]) == shape(call["value"]), case


@pytest.mark.parametrize("session", ["real", "pretended"])
@pytest.mark.parametrize("name", ["idle", "held", "released"])
def test_memory_adds_up_the_same_way(request: pytest.FixtureRequest, session: str, name: str) -> None:
    calls = scene(request.getfixturevalue(session), name)
    old = calls["gpu", "nvmlDeviceGetMemoryInfo"]["value"]
    new = calls["gpu", "nvmlDeviceGetMemoryInfo_v2"]["value"]

    assert new["total"] == new["reserved"] + new["used"] + new["free"]
    assert old["total"] == old["used"] + old["free"]
    # Version 1 counts the driver's reserve as used.
    assert old["used"] == new["used"] + new["reserved"]


@pytest.mark.parametrize("session", ["real", "pretended"])
def test_memory_follows_the_holder(request: pytest.FixtureRequest, session: str) -> None:
    recording = request.getfixturevalue(session)
    idle, held, released = (
        scene(recording, name)["gpu", "nvmlDeviceGetMemoryInfo_v2"]["value"]["used"]
        for name in ("idle", "held", "released")
    )

    assert held >= idle + recording["holder"]["bytes"]
    # Without persistence mode a driver keeps a few MiB for the clients that are left.
    assert abs(released - idle) < 64 << 20


def test_structures_are_as_long_as_nvidia_ml_py_says() -> None:
    import pynvml

    assert ctypes.sizeof(pynvml.c_nvmlMemory_v2_t) | 2 << 24 == pynvml.nvmlMemory_v2
    assert ctypes.sizeof(pynvml.c_nvmlProcessInfo_v3_t) == 24
    assert ctypes.sizeof(pynvml.nvmlPciInfo_t) == 68


def shape(value: Any) -> Any:
    """Return the type of a value, and of what is in it; all elements of a list have one shape."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__
