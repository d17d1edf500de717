"""The probe, through the real nvidia-ml-py and the stand-in library, for all that a driver can do to it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.standin import GIB, StandIn, uuid_of

pytestmark = pytest.mark.process

MIG: list[dict[str, Any]] = [
    {
        "uuid": "MIG-11111111-0000",
        "name": "NVIDIA H200 MIG 1g.18gb",
        "total": 18 * GIB,
        "reserved": 0,
        "used": 0,
    },
    {
        "uuid": "MIG-22222222-0000",
        "name": "NVIDIA H200 MIG 2g.35gb",
        "total": 35 * GIB,
        "reserved": 0,
        "used": GIB,
    },
]
LIST = """
import dataclasses, json
from accsearch.gpus.nvml import open_nvml
with open_nvml() as nvml:
    print(json.dumps([dataclasses.asdict(device) for device in nvml.devices()]))
"""
READ = """
import dataclasses, json, sys
from accsearch.gpus.nvml import open_nvml
with open_nvml() as nvml:
    print(json.dumps(dataclasses.asdict(nvml.read(sys.argv[1]))))
"""


def run(standin: StandIn, program: str, *arguments: str) -> Any:
    outcome = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=standin.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    return json.loads(outcome.stdout)


def refusal(environment: dict[str, str]) -> str:
    program = """
from accsearch.errors import NoGpuError
from accsearch.gpus.nvml import open_nvml
try:
    with open_nvml() as nvml:
        nvml.devices()
except NoGpuError as error:
    print(error)
"""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def test_devices_are_numbered_by_pci_bus_as_cuda_does(standin: StandIn) -> None:
    standin.set_gpu(0, bus="00000000:AF:00.0")
    standin.set_gpu(1, bus="00000000:1B:00.0")

    found = run(standin, LIST)

    assert [(device["index"], device["uuid"]) for device in found] == [(0, uuid_of(1)), (1, uuid_of(0))]
    assert found[0]["name"] == "NVIDIA H200"
    assert found[0]["memory_total"] == standin.gpus[1]["total"]


def test_reading_holds_what_the_driver_says(standin: StandIn) -> None:
    standin.set_gpu(0, utilization=37, used=GIB, processes={4711: 2 * GIB, 4712: -1}, graphics={4713: GIB})

    reading = run(standin, READ, uuid_of(0))

    assert reading["utilization"] == 37
    assert reading["memory_used"] == 4 * GIB
    assert reading["memory_free"] == standin.gpus[0]["total"] - standin.gpus[0]["reserved"] - 4 * GIB
    assert reading["power_watts"] == 75.0
    assert sorted(reading["processes"], key=lambda process: process["pid"]) == [
        {"pid": 4711, "memory": 2 * GIB, "graphics": False},
        {"pid": 4712, "memory": None, "graphics": False},
        {"pid": 4713, "memory": GIB, "graphics": True},
    ]


def test_what_a_device_does_not_support_is_unknown_not_zero(standin: StandIn) -> None:
    standin.set_gpu(0, utilization="unsupported", power="unsupported", memory="unsupported")

    reading = run(standin, READ, uuid_of(0))

    assert reading["utilization"] is None
    assert reading["power_watts"] is None
    assert reading["memory_used"] is reading["memory_free"] is reading["memory_total"] is None


def test_memory_of_zero_bytes_is_unknown(standin: StandIn) -> None:
    standin.set_gpu(0, memory="zero", processes={4711: -1})

    reading = run(standin, READ, uuid_of(0))
    first, second = run(standin, LIST)

    assert reading["memory_used"] is reading["memory_free"] is reading["memory_total"] is None
    assert [process["pid"] for process in reading["processes"]] == [4711]
    assert (first["memory_total"], second["memory_total"]) == (None, standin.gpus[1]["total"])


@pytest.mark.parametrize(
    ("mode", "read", "unusable"),
    [
        (0, None, False),
        (1, "Exclusive Process", False),
        (2, "Prohibited", True),
        (3, "Exclusive Process", False),
        ("unsupported", None, False),
    ],
)
def test_the_compute_mode_is_read(
    standin: StandIn, mode: int | str, read: str | None, unusable: bool
) -> None:
    standin.set_gpu(1, compute_mode=mode)

    assert run(standin, READ, uuid_of(1))["compute_mode"] == read
    assert [device["unusable"] is not None for device in run(standin, LIST)] == [False, unusable]


def test_mig_instances_are_offered_in_place_of_their_gpu(standin: StandIn) -> None:
    standin.set_gpu(0, mig=1, instances=MIG)

    found = run(standin, LIST)
    reading = run(standin, READ, MIG[1]["uuid"])

    assert [(d["index"], d["mig"], d["uuid"], d["parent"]) for d in found] == [
        (0, None, uuid_of(0), None),
        (0, 0, MIG[0]["uuid"], uuid_of(0)),
        (0, 1, MIG[1]["uuid"], uuid_of(0)),
        (1, None, uuid_of(1), None),
    ]
    assert found[0]["unusable"] == "in MIG mode: its instances are offered instead"
    assert [device["unusable"] for device in found[1:]] == [None, None, None]
    assert reading["utilization"] is None
    assert reading["memory_used"] == GIB


@pytest.mark.parametrize("code", [15, 16])
def test_a_lost_gpu_is_listed_with_its_reason_and_the_others_go_on(standin: StandIn, code: int) -> None:
    standin.lose(0, code)

    found = run(standin, LIST)

    assert found[0]["unusable"].startswith("lost: GPU ")
    assert found[1]["unusable"] is None
    assert found[1]["uuid"] == uuid_of(1)
    assert found[1]["index"] == 1


def test_a_gpu_lost_while_in_use_comes_back(standin: StandIn) -> None:
    program = """
import json, sys
from accsearch.gpus.device import GpuLost
from accsearch.gpus.nvml import open_nvml
first, second = sys.argv[1:]
with open_nvml() as nvml:
    nvml.devices()
    for line in sys.stdin:
        try:
            answer = nvml.read(first).utilization
        except GpuLost as error:
            answer = str(error)
        print(json.dumps([answer, nvml.read(second).utilization]), flush=True)
"""
    changes = [{"errors": errors} for errors in ({}, {"*": 15}, {"*": 15}, {})]
    answers = [json.loads(line) for line in standin.answers([program, uuid_of(0), uuid_of(1)], changes)]

    assert answers == [[0, 0], ["GPU is lost", 0], [f"{uuid_of(0)}: GPU is lost", 0], [0, 0]]
    # The library is opened anew for each look at a lost GPU, or it would not see the GPU come back.
    assert standin.calls()["nvmlInitWithFlags"] == 3


def test_a_driver_that_does_not_open_again_is_no_loss_of_a_gpu_that_works(standin: StandIn) -> None:
    program = """
import json, sys
from accsearch.gpus.device import GpuLost
from accsearch.gpus.nvml import open_nvml
with open_nvml() as nvml:
    nvml.devices()
    for line in sys.stdin:
        try:
            answer = nvml.read(line.strip()).utilization
        except GpuLost as error:
            answer = type(error).__name__
        print(json.dumps(answer), flush=True)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=standin.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdin is not None and child.stdout is not None

        def read(index: int) -> Any:
            assert child.stdin is not None and child.stdout is not None
            child.stdin.write(f"{uuid_of(index)}\n")
            child.stdin.flush()
            return json.loads(child.stdout.readline())

        standin.lose(0, 15)
        assert read(0) == "GpuLost"
        # Looking for the lost one again opens the library anew, which fails now: nobody can be read then.
        standin.errors["nvmlInitWithFlags"] = 9
        standin.write()
        assert [read(0), read(1)] == ["DriverLost", "DriverLost"]
        del standin.errors["nvmlInitWithFlags"]
        standin.write()
        assert [read(1), read(0)] == [0, "GpuLost"]
        child.stdin.close()


@pytest.mark.parametrize(("code", "answer"), [(3, None), (4, None), (999, "GpuLost"), (9, "GpuLost")])
def test_memory_is_unknown_only_where_it_may_be(standin: StandIn, code: int, answer: str | None) -> None:
    standin.set_gpu(0, errors={"nvmlDeviceGetMemoryInfo": code, "nvmlDeviceGetMemoryInfo_v2": code})
    program = """
import json, sys
from accsearch.gpus.device import GpuLost
from accsearch.gpus.nvml import open_nvml
with open_nvml() as nvml:
    try:
        print(json.dumps(nvml.read(sys.argv[1]).memory_used))
    except GpuLost as error:
        print(json.dumps(type(error).__name__))
"""
    assert run(standin, program, uuid_of(0)) == answer


@pytest.mark.parametrize(
    ("missing", "unknown"),
    [
        ({"nvmlDeviceGetMemoryInfo_v2"}, None),
        ({"nvmlDeviceGetComputeRunningProcesses_v3"}, None),
        ({"nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2"}, "processes"),
        ({"nvmlDeviceGetGraphicsRunningProcesses_v3"}, None),
        ({"nvmlDeviceGetUtilizationRates"}, "utilization"),
        ({"nvmlDeviceGetPowerUsage"}, "power_watts"),
        ({"nvmlDeviceGetMigMode", "nvmlDeviceGetPciInfo_v3", "nvmlSystemGetCudaDriverVersion_v2"}, None),
    ],
)
def test_an_older_driver_is_good_enough(tmp_path: Path, missing: set[str], unknown: str | None) -> None:
    standin = StandIn(tmp_path, gpus=2, missing=frozenset(missing))
    standin.set_gpu(1, processes={4711: GIB}, utilization=1)

    devices = run(standin, LIST)
    reading = run(standin, READ, uuid_of(1))

    assert [device["uuid"] for device in devices] == [uuid_of(0), uuid_of(1)]
    complete = {
        "processes": [{"pid": 4711, "memory": GIB, "graphics": False}],
        "utilization": 1,
        "power_watts": 75,
    }
    assert {key: reading[key] for key in complete if key != unknown} == {
        key: value for key, value in complete.items() if key != unknown
    }
    assert unknown is None or not reading[unknown]
    assert reading["memory_used"] >= GIB


def test_no_driver_is_one_line_that_names_the_way_out(standin: StandIn) -> None:
    environment = standin.environment()
    # Found first and not loadable, also on a machine that has a driver.
    library = standin.folder / "no-driver" / "libnvidia-ml.so.1"
    library.parent.mkdir()
    library.write_text("not a library")
    environment["LD_LIBRARY_PATH"] = str(library.parent)

    text = refusal(environment)

    assert text == (
        "no NVIDIA driver on this machine (libnvidia-ml.so.1 not found); "
        "run on the CPU with `--gpus none --slots N`"
    )


@pytest.mark.parametrize(
    ("function", "code", "words"),
    [
        ("nvmlInitWithFlags", 9, "the NVIDIA driver is not loaded"),
        ("nvmlInitWithFlags", 18, "updated while loaded"),
        ("nvmlInitWithFlags", 999, "does not start (Unknown Error)"),
        ("nvmlDeviceGetCount_v2", 999, "does not count its GPUs"),
    ],
)
def test_a_driver_that_does_not_start_says_why(
    standin: StandIn, function: str, code: int, words: str
) -> None:
    standin.errors[function] = code
    standin.write()

    text = refusal(standin.environment())

    assert words in text
    assert text.endswith("run on the CPU with `--gpus none --slots N`")
    assert "\n" not in text


def test_a_driver_without_the_needed_functions_is_too_old(tmp_path: Path) -> None:
    standin = StandIn(tmp_path, missing=frozenset({"nvmlInitWithFlags"}))
    assert "too old" in refusal(standin.environment())


def test_a_forked_child_does_not_shut_the_parents_library(standin: StandIn) -> None:
    program = """
import json, os, sys
from accsearch.gpus.nvml import open_nvml
with open_nvml() as nvml:
    child = os.fork()
    if child == 0:
        nvml.close()
        os._exit(0)
    os.waitpid(child, 0)
    print(json.dumps(nvml.read(sys.argv[1]).utilization))
"""
    assert run(standin, program, uuid_of(0)) == 0
    assert standin.calls()["nvmlShutdown"] == 1
