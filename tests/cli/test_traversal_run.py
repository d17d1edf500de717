"""The main job with the real worker, through the command line, on the tiny pipeline of configs/ci.yaml."""

import csv
import hashlib
import io
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from tests.cli.program import accsearch, read_json
from tests.faults.program import LONG, Program

CI = str(Path("configs/ci.yaml").resolve())
TASK = "tiny_DDIM_4"
RUN = ("run", CI, "--gpus", "none")
TRIALS = ["baseline", "deepcache-i2-b0", "tome-r0.5-d1", "deepcache-i2-b0+tome-r0.5-d1"]
MORE = ("-o", "methods.deepcache.cache_interval=[2,3,4]", "-o", "retry.max_attempts=1")
RUNNING = {
    *("task", "pid", "create_time", "keeper_pid", "keeper_create_time", "host", "gpu", "attempt", "nonce"),
    *("started_at", "executor", "job_id"),
}
EXIT = {"attempt", "nonce", "exit_code", "finished_at"}
DONE = {
    *(
        "schema",
        "task",
        "config",
        "digest",
        "attempt",
        "nonce",
        "started_at",
        "finished_at",
        "seconds",
        "host",
    ),
    *("gpu", "log", "results", "versions"),
}
FAILED = {"task", "config", "digest", "attempt", "reason", "signal", "message", "gpu", "log", "finished_at"}
LINE = {
    *("task", "trial", "key", "attempt", "methods", "seconds_per_image", "seconds_per_image_std", "repeats"),
    *("times", "clip_score", "clip_score_std", "scores", "speedup", "speedup_ci95", "score_loss"),
    *("score_loss_ci95", "psnr", "ssim", "peak_memory_bytes", "images_per_second", "efficiency", "active"),
    *("num_samples", "batch_size", "seed", "gpu", "status", "error"),
}


def marker(folder: Path, kind: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((folder / f"checkpoints/ci/{TASK}.{kind}").read_text())
    return value


def results(folder: Path) -> list[bytes]:
    """Return the lines that are whole."""
    try:
        return (folder / f"results/ci/{TASK}.jsonl").read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return []


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work directory in which configs/ci.yaml ran to its end."""
    folder = tmp_path_factory.mktemp("finished")
    ended = accsearch(*RUN, folder=folder)
    assert ended.returncode == 0, ended.stderr
    return folder


def test_every_file_is_as_the_contract_says(finished: Path) -> None:
    files = {str(path.relative_to(finished)) for path in finished.rglob("*") if path.is_file()}
    plan = json.loads((finished / "checkpoints/ci/plan.json").read_text())
    done, lines = marker(finished, "done"), [json.loads(line) for line in results(finished)]
    written = b"".join(results(finished))

    assert {name for name in files if "/." not in name} == {
        "checkpoints/ci/plan.json",
        *(f"checkpoints/ci/{TASK}.{kind}" for kind in ("done", "exit")),
        f"logs/ci/{TASK}.log",
        f"results/ci/{TASK}.jsonl",
    }
    assert plan["resolved"]["worker"]["num_samples"] == 2
    assert [task["id"] for task in plan["tasks"]] == [TASK]
    assert marker(finished, "exit").keys() >= EXIT
    assert marker(finished, "exit")["exit_code"] == 0
    assert done.keys() >= DONE
    assert (done["schema"], done["task"], done["config"], done["attempt"]) == (1, TASK, "ci", 1)
    assert (done["gpu"], done["log"]) == (None, f"logs/ci/{TASK}.log")
    assert done["results"] == {
        "path": f"results/ci/{TASK}.jsonl",
        "lines": len(lines),
        "bytes": len(written),
        "sha256": hashlib.sha256(written).hexdigest(),
    }
    log = (finished / f"logs/ci/{TASK}.log").read_text().splitlines()
    assert log[-1] == f"Successfully completed {TASK}"
    assert {line["trial"] for line in lines} == set(TRIALS)
    assert all(line.keys() >= LINE and line["status"] == "ok" for line in lines)
    assert next(line["methods"] for line in lines if line["trial"] == "baseline") == {}
    timed, (startup,) = [line["timed_seconds"] for line in lines], {line["startup_seconds"] for line in lines}
    assert timed == sorted(timed)
    assert done["measured_share"] == timed[-1] / done["seconds"]
    assert 0 < startup < startup + timed[-1] < done["seconds"]


def test_a_second_run_does_nothing(finished: Path) -> None:
    def state() -> dict[str, tuple[int, bytes]]:
        kept = (finished / name for name in ("checkpoints/ci", "logs/ci", "results/ci"))
        return {
            path.name: (path.stat().st_mtime_ns, path.read_bytes())
            for each in kept
            for path in each.iterdir()
        }

    before = state()

    assert accsearch(*RUN, folder=finished).returncode == 0
    assert state() == before
    (task,) = read_json("plan", CI, folder=finished)["tasks"]
    assert (task["state"], task["action"], task["trials_total"]) == ("done", "skip", 4)
    (row,) = read_json("status", folder=finished)["tasks"]
    assert (row["state"], row["trials_done"], row["trials_total"]) == ("done", 4, 4)
    assert row["measured_share"] == marker(finished, "done")["measured_share"]


def test_the_results_can_be_read(finished: Path) -> None:
    rows = read_json("best", "--max-loss", "1", folder=finished)
    exported = accsearch("export", "--format", "csv", folder=finished)
    reported = accsearch("report", "-o", "report.html", folder=finished)

    assert rows[0].keys() >= {
        *("task", "max_loss", "decision", "trial", "methods", "speedup", "score_loss"),
        *("speedup_ci95", "score_loss_ci95"),
    }
    assert (rows[0]["task"], rows[0]["decision"]) == (TASK, "within")
    table = list(csv.DictReader(io.StringIO(exported.stdout)))
    assert [row["trial"] for row in table] == TRIALS
    assert reported.returncode == 0, reported.stderr
    page = (finished / "report.html").read_text()
    assert TASK in page and "deepcache" in page


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_an_exported_file_has_its_units_with_it(finished: Path, tmp_path: Path, format: str) -> None:
    file = tmp_path / f"trials.{format}"

    ended = accsearch("export", "--format", format, "-o", str(file), folder=finished)

    assert (ended.returncode, ended.stdout) == (0, "")
    schema = tmp_path / f"trials.{format}.schema.json"
    assert schema.exists() is (format != "parquet")
    if schema.exists():
        columns = json.loads(schema.read_text())
        assert columns["seconds_per_image"]["unit"] == "s"
        assert all(column.keys() == {"type", "unit", "description"} for column in columns.values())


def test_a_killed_worker_s_task_is_finished_without_measuring_anything_again(tmp_path: Path) -> None:
    # Given a worker that is killed once it has written a trial
    with Program([*RUN, *MORE], os.environ, tmp_path) as run:
        deadline = time.monotonic() + LONG
        while len(results(tmp_path)) < 2:
            assert time.monotonic() < deadline and run.process.poll() is None, run.lines
            time.sleep(0.01)
        running = marker(tmp_path, "running")
        os.kill(running["pid"], signal.SIGKILL)
        assert run.end() == 1
    failed, kept = marker(tmp_path, "failed"), results(tmp_path)
    if not kept[-1].endswith(b"\n"):
        del kept[-1]
    measured = {json.loads(line)["trial"] for line in kept} - {"baseline"}
    assert running.keys() >= RUNNING
    assert failed.keys() >= FAILED
    assert (failed["reason"], failed["signal"]) == ("killed", signal.SIGKILL)

    # When the failed task is retried
    retried = accsearch("retry", "--failed", folder=tmp_path)

    # Then it is done in attempt 2, and nothing was generated again of what had been measured
    assert retried.returncode == 0, retried.stderr
    assert marker(tmp_path, "done")["attempt"] == 2
    assert not (tmp_path / f"checkpoints/ci/{TASK}.failed").exists()
    assert (tmp_path / f"logs/ci/{TASK}.1.log").is_file()
    after = results(tmp_path)
    assert after[: len(kept)] == kept
    # An answer is timed once more at the end, in turn with the baseline.
    generated = [each for line in after[len(kept) :] if (each := json.loads(line))["timing"] == "batches"]
    again = {each["trial"] for each in generated}
    trials = {trial for line in after if (trial := json.loads(line)["trial"]) != "baseline"}
    assert again - {"baseline"} == trials - measured
    assert 0 < len(measured) < len(trials) == 7
