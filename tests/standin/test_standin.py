"""The stand-in answers nvidia-ml-py as its state file says, from one call to the next."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.standin import GIB, StandIn

READ = """
import json, sys, pynvml
pynvml.nvmlInit()
handle = pynvml.nvmlDeviceGetHandleByIndex(int(sys.argv[1]))
memory = pynvml.nvmlDeviceGetMemoryInfo(handle, version=pynvml.nvmlMemory_v2)
processes = pynvml.nvmlDeviceGetComputeRunningProcesses_v3(handle)
print(json.dumps({
    "count": pynvml.nvmlDeviceGetCount(), "uuid": pynvml.nvmlDeviceGetUUID(handle), "used": memory.used,
    "total": memory.total, "free": memory.free, "reserved": memory.reserved,
    "utilization": pynvml.nvmlDeviceGetUtilizationRates(handle).gpu,
    "processes": {p.pid: p.usedGpuMemory for p in processes},
}))
"""


def run(standin: StandIn, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, env=standin.environment(), capture_output=True, text=True, check=False)


def read(standin: StandIn, index: int = 0) -> dict[str, Any]:
    outcome = run(standin, READ, str(index))
    assert outcome.returncode == 0, outcome.stderr
    return dict(json.loads(outcome.stdout))


def test_answers_follow_the_state_file(standin: StandIn) -> None:
    standin.set_gpu(1, utilization=37, used=5 * GIB, processes={4711: 2 * GIB})

    answer = read(standin, 1)

    assert answer["count"] == 2
    assert answer["uuid"] == standin.uuid(1)
    assert answer["used"] == 7 * GIB
    assert answer["free"] + answer["used"] + answer["reserved"] == answer["total"]
    assert answer["utilization"] == 37
    assert answer["processes"] == {"4711": 2 * GIB}
    assert standin.calls()["nvmlDeviceGetUtilizationRates"] == 1


def test_state_changes_reach_a_running_process(standin: StandIn) -> None:
    program = """
import sys, pynvml
pynvml.nvmlInit()
handle = pynvml.nvmlDeviceGetHandleByIndex(0)
for line in sys.stdin:
    try:
        print(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu, flush=True)
    except pynvml.NVMLError as error:
        print(error.value, flush=True)
"""
    changes: list[dict[str, Any]] = [{}, {"utilization": 50}, {"errors": {"*": 15}}, {"errors": {}}]

    assert standin.answers([program], changes) == ["0", "50", "15", "50"]


def test_memory_follows_a_live_process(standin: StandIn) -> None:
    sleeper = subprocess.Popen(["sleep", "60"])
    standin.hold(0, sleeper.pid, 20 * GIB)
    alive = read(standin)
    sleeper.kill()
    sleeper.wait()

    dead = read(standin)

    assert alive["used"] == 20 * GIB
    assert alive["processes"] == {str(sleeper.pid): 20 * GIB}
    assert dead["used"] == 0
    assert dead["processes"] == {}


def test_memory_lingers_after_a_process(standin: StandIn) -> None:
    standin.set_gpu(0, linger=-1)
    sleeper = subprocess.Popen(["sleep", "60"])
    standin.hold(0, sleeper.pid, 20 * GIB)
    sleeper.kill()
    sleeper.wait()

    lingering = read(standin)
    standin.set_gpu(0, linger=0)

    assert lingering["used"] == 20 * GIB
    assert lingering["processes"] == {}
    assert read(standin)["used"] == 0


@pytest.mark.parametrize(("call", "code"), [("nvmlInitWithFlags", 9), ("nvmlDeviceGetCount_v2", 999)])
def test_calls_without_a_device_can_fail(standin: StandIn, call: str, code: int) -> None:
    standin.errors[call] = code
    standin.write()
    program = """
import pynvml
try:
    pynvml.nvmlInit()
    pynvml.nvmlDeviceGetCount()
except pynvml.NVMLError as error:
    print(error.value)
"""
    assert run(standin, program).stdout.strip() == str(code)


def test_functions_can_be_absent(tmp_path: Path) -> None:
    standin = StandIn(tmp_path, missing=frozenset({"nvmlDeviceGetMemoryInfo_v2"}))
    program = """
import pynvml
pynvml.nvmlInit()
handle = pynvml.nvmlDeviceGetHandleByIndex(0)
try:
    pynvml.nvmlDeviceGetMemoryInfo(handle, version=pynvml.nvmlMemory_v2)
except pynvml.NVMLError as error:
    print(error.value)
print(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
"""
    assert run(standin, program).stdout.split() == ["13", str(standin.gpus[0]["total"])]
