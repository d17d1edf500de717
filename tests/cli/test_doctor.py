"""`accsearch doctor` as a process."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.standin import StandIn

from accsearch.checkpoint.markers import Done, Results, write_done
from accsearch.workdir import WorkDir


def doctor(standin: StandIn, workdir: Path) -> tuple[int, dict[str, list[dict[str, Any]]]]:
    command = [sys.executable, "-m", "accsearch", "doctor", "--json", "--workdir", str(workdir)]
    outcome = subprocess.run(command, env=standin.environment(), capture_output=True, text=True, check=False)
    assert outcome.stderr == ""
    findings: dict[str, list[dict[str, Any]]] = {}
    for finding in json.loads(outcome.stdout):
        findings.setdefault(finding["subject"], []).append(finding)
    return outcome.returncode, findings


def test_gpus_driver_and_leases_are_looked_at(standin: StandIn, tmp_path: Path) -> None:
    standin.lose(1)

    code, findings = doctor(standin, tmp_path)

    assert code == 0
    assert findings["driver"][0]["text"] == "575.57.08, supports CUDA 12.9"
    assert findings["GPU 0"][0]["level"] == "ok"
    assert findings["GPU 1"][0]["level"] == "warning"
    assert findings["leases"][0]["text"] == str(standin.folder / "leases")
    assert findings["results"][0]["level"] == "ok"


def test_no_driver_is_no_failure(standin: StandIn, tmp_path: Path) -> None:
    standin.errors["nvmlInitWithFlags"] = 9
    standin.write()

    code, findings = doctor(standin, tmp_path)

    assert code == 0
    assert findings["GPUs"][0]["level"] == "note"
    assert "not loaded" in findings["GPUs"][0]["text"]


def test_a_damaged_plan_is_an_error(standin: StandIn, tmp_path: Path) -> None:
    workdir = WorkDir(tmp_path / "run")
    workdir.create("demo")
    workdir.plan("demo").write_text('{"schema": 1')

    code, findings = doctor(standin, workdir.root)

    assert code == 4
    assert findings["plan"][0]["level"] == "error"
    assert "damaged" in findings["plan"][0]["text"]


def test_a_changed_result_is_found_by_its_hash(standin: StandIn, tmp_path: Path) -> None:
    workdir = WorkDir(tmp_path / "run")
    workdir.create("demo")
    paths = workdir.task("demo", "demo_DDIM_5")
    content = b'{"trial": "baseline"}\n'
    paths.results.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    results = Results(path="results/demo/demo_DDIM_5.jsonl", lines=1, bytes=len(content), sha256=digest)
    when = "2026-01-01T00:00:00Z"
    done = Done(
        task="demo_DDIM_5",
        config="demo",
        digest="d",
        attempt=1,
        nonce="n",
        started_at=when,
        finished_at=when,
        seconds=1.0,
        host="h",
        gpu=None,
        log="logs/demo/demo_DDIM_5.log",
        results=results,
        versions={},
    )
    write_done(paths.done, done)

    sound = doctor(standin, workdir.root)
    # The same length: only the hash can tell.
    paths.results.write_bytes(content.replace(b"b", b"B"))
    spoilt = doctor(standin, workdir.root)

    assert sound[0] == 0
    assert sound[1]["results"][0]["text"] == "1 finished tasks, every hash holds"
    assert spoilt[0] == 4
    assert "demo/demo_DDIM_5" in spoilt[1]["results"][0]["text"]
