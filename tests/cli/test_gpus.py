"""`accsearch gpus` as a process, on the stand-in's GPUs."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.standin import GIB, StandIn, uuid_of

CONTRACT = {"index", "uuid", "name", "memory_total", "memory_free", "utilization", "idle", "why"}


def accsearch(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "accsearch", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def rows(standin: StandIn, **more: str) -> list[dict[str, Any]]:
    outcome = accsearch(standin.environment() | more, "gpus", "--json")
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stderr == ""
    found: list[dict[str, Any]] = json.loads(outcome.stdout)
    return found


def test_each_gpu_says_why_it_is_or_is_not_idle(tmp_path: Path) -> None:
    standin = StandIn(tmp_path, gpus=6)
    standin.set_gpu(1, utilization=37)
    standin.set_gpu(2, processes={os.getpid(): 20 * GIB})
    standin.lose(3)
    standin.set_gpu(4, utilization="unsupported")
    standin.set_gpu(5, total=8 * GIB)

    found = rows(standin)

    assert all(row.keys() >= CONTRACT for row in found)
    assert [row["idle"] for row in found] == [True, False, False, False, True, False]
    assert [row["index"] for row in found] == list(range(6))
    assert found[0]["why"] == "idle"
    assert found[1]["why"] == "utilisation 37 %"
    assert found[2]["why"].startswith(f"20.0 GiB in use by pid {os.getpid()} (")
    assert found[2]["utilization"] == 0
    assert found[3]["why"] == "lost: GPU is lost"
    assert found[4]["utilization"] is None
    assert "8.0 GiB in total" in found[5]["why"]


def test_all_gpus_are_sampled_together(tmp_path: Path) -> None:
    standin = StandIn(tmp_path, gpus=8)

    rows(standin)

    # Three samples of eight GPUs, and a GPU's second sample only after every GPU's first.
    readings = [line.split() for line in standin.calls_file.read_text().splitlines()]
    order = [uuid for function, uuid in readings if function == "nvmlDeviceGetUtilizationRates"]
    assert [sorted(order[start : start + 8]) for start in (0, 8, 16)] == [[uuid_of(i) for i in range(8)]] * 3
    assert len(order) == 24


def test_a_mask_is_respected_and_named(standin: StandIn) -> None:
    found = rows(standin, CUDA_VISIBLE_DEVICES=uuid_of(1))
    nothing = rows(standin, CUDA_VISIBLE_DEVICES="")

    assert [row["idle"] for row in found] == [False, True]
    assert found[0]["why"] == f"not in CUDA_VISIBLE_DEVICES={uuid_of(1)}"
    assert [row["idle"] for row in nothing] == [False, False]


def test_a_leased_gpu_names_its_holder(standin: StandIn) -> None:
    program = """
import sys
from pathlib import Path
from accsearch.gpus.lease import acquire
lease = acquire(sys.argv[1], Path("/data/run"))
print("taken", flush=True)
sys.stdin.read()
"""
    holder = subprocess.Popen(
        [sys.executable, "-c", program, uuid_of(0)],
        env=standin.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        while_leased = rows(standin)

    assert [row["idle"] for row in while_leased] == [False, True]
    assert while_leased[0]["why"].startswith(f"leased by pid {holder.pid} (")
    assert [row["idle"] for row in rows(standin)] == [True, True]


def test_the_table_is_for_people(standin: StandIn) -> None:
    standin.set_gpu(
        1, mig=1, instances=[{"uuid": "MIG-1234", "name": "NVIDIA H200 MIG 1g.18gb", "total": 18 * GIB}]
    )

    outcome = accsearch(standin.environment(), "gpus")

    assert outcome.returncode == 0
    assert "\x1b" not in outcome.stdout
    lines = outcome.stdout.splitlines()
    assert lines[0].split() == ["GPU", "name", "UUID", "free", "total", "use", "idle", "why"]
    assert [line.split()[0] for line in lines[1:]] == ["0", "1", "1:0"]
    assert "in MIG mode" in lines[2]


@pytest.mark.parametrize("json_option", [[], ["--json"]])
@pytest.mark.parametrize("code", [9, None])
def test_without_gpus_it_says_so_in_one_line(
    tmp_path: Path, code: int | None, json_option: list[str]
) -> None:
    standin = StandIn(tmp_path, gpus=0)
    if code is not None:
        standin.errors["nvmlInitWithFlags"] = code
        standin.write()

    outcome = accsearch(standin.environment(), "gpus", *json_option)

    assert outcome.returncode == 3
    assert len(outcome.stderr.splitlines()) == 1
    assert ("driver is not loaded" if code else "sees no GPU") in outcome.stderr
    assert outcome.stdout.strip() == ("[]" if json_option else "")
