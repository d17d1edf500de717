"""What other programs are written against: the files of a work directory and the JSON of each command."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.faults.program import ACCSEARCH, Gate, Work
from tests.faults.search import TASK, Search
from tests.standin import StandIn

ONE = ("--gpus", "none", "--slots", "1")
RUNNING = {
    "task", "pid", "create_time", "keeper_pid", "keeper_create_time", "host", "gpu", "attempt", "nonce",
    "started_at", "executor", "job_id",
}  # fmt: skip
EXIT = {"attempt", "nonce", "exit_code", "signal", "finished_at"}
DONE = {
    "schema", "task", "config", "digest", "attempt", "nonce", "started_at", "finished_at", "seconds", "host",
    "gpu", "log", "results", "versions",
}  # fmt: skip
RESULTS = {"path", "lines", "bytes", "sha256"}
FAILED = {
    "task", "config", "digest", "attempt", "reason", "exit_code", "signal", "message", "gpu", "log",
    "finished_at",
}  # fmt: skip
PLAN_FILE = {"schema", "config", "resolved", "tasks"}
COUNTS = {"pending", "running", "done", "failed"}
STATUS_TASK = {
    "id", "config", "state", "attempt", "gpu", "reason", "message", "seconds", "log", "trials_done",
    "trials_total",
}  # fmt: skip
PLAN_TASK = {"id", "config", "state", "action", "why", "trials_total"}
GPU = {"index", "uuid", "name", "memory_total", "memory_free", "utilization", "idle", "why"}
BEST = {
    "task", "max_loss", "decision", "trial", "methods", "speedup", "score_loss", "speedup_ci95",
    "score_loss_ci95",
}  # fmt: skip
LINE = {
    "task", "trial", "key", "attempt", "methods", "seconds_per_image", "seconds_per_image_std", "repeats",
    "times", "clip_score", "clip_score_std", "scores", "speedup", "speedup_ci95", "score_loss",
    "score_loss_ci95", "psnr", "ssim", "peak_memory_bytes", "images_per_second", "efficiency", "active",
    "num_samples", "batch_size", "seed", "gpu", "status", "error",
}  # fmt: skip


def streams(work: Work, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in the work directory to its end, with both streams."""
    command = [*ACCSEARCH, *arguments, "--workdir", str(work.root)]
    return subprocess.run(command, env=work.env, cwd=work.folder, capture_output=True, text=True, check=False)


def test_the_markers_of_a_task_have_their_keys(gpu_work: Work, standin: StandIn, gate: Gate) -> None:
    gpu_work.shell(
        f"{gate.script()}\nif test $T = b; then echo 'ValueError: no'; exit 3; fi\n"
        f"echo '{{}}' > {gpu_work.root}/results/c/$T.jsonl",
        ["a", "b"],
        gpus={"samples": 1},
        retry={"max_attempts": 1},
    )
    with gpu_work.start_run() as run:
        gate.arrivals(2)
        for task in "ab":
            running = gpu_work.marker(f"{task}.running")
            assert running.keys() >= RUNNING
            assert (running["task"], running["attempt"], running["executor"]) == (task, 1, "local")
            assert running["job_id"] is None
        gate.open(2)
        assert run.end() == 1, run.text
    ended, done = gpu_work.marker("a.exit"), gpu_work.marker("a.done")
    assert ended.keys() >= EXIT
    assert (ended["exit_code"], ended["signal"], ended["nonce"]) == (0, None, done["nonce"])
    assert done.keys() >= DONE
    assert done["results"].keys() >= RESULTS
    assert (done["schema"], done["log"], done["results"]["path"]) == (1, "logs/c/a.log", "results/c/a.jsonl")
    assert done["results"]["lines"] == 1 and done["results"]["bytes"] == 3
    failed = gpu_work.marker("b.failed")
    assert failed.keys() >= FAILED
    assert (failed["reason"], failed["exit_code"], failed["message"]) == ("error", 3, "ValueError: no")
    assert {done["gpu"], failed["gpu"]} == {standin.uuid(0), standin.uuid(1)}


def test_the_stored_plan_has_its_keys_before_anything_starts(work: Work) -> None:
    work.shell(f"cp {work.root}/checkpoints/c/plan.json seen.json", ["a", "b"])
    assert work.run(*ONE).process.returncode == 0
    plan: dict[str, Any] = json.loads((work.folder / "seen.json").read_text())
    assert plan.keys() >= PLAN_FILE
    assert [task["id"] for task in plan["tasks"]] == ["a", "b"]
    assert all(task["digest"] == work.marker(f"{task['id']}.done")["digest"] for task in plan["tasks"])
    assert plan["resolved"]["grid"] == {"n": ["a", "b"]}


def test_status_plan_and_best_print_their_keys_as_json_alone(work: Work) -> None:
    search = Search(work)
    search.configure(steps=(4, 8))
    assert work.run(*ONE).process.returncode == 0
    outputs = [streams(work, *command) for command in (("status", "--json"), ("plan", "c.yaml", "--json"))]
    assert all(each.returncode == 0 for each in outputs)
    status, plan = (json.loads(each.stdout) for each in outputs)
    assert status.keys() >= {"workdir", "counts", "tasks"}
    assert status["workdir"] == str(work.root)
    assert status["counts"] == {"pending": 0, "running": 0, "done": 2, "failed": 0}
    assert all(task.keys() >= STATUS_TASK for task in status["tasks"])
    assert [(task["trials_done"], task["trials_total"]) for task in status["tasks"]] == [(3, 3), (3, 3)]
    assert all(task.keys() >= PLAN_TASK for task in plan["tasks"])
    assert {(task["action"], task["state"]) for task in plan["tasks"]} == {("skip", "done")}
    best = streams(work, "best", "--json")
    assert all(row.keys() >= BEST for row in json.loads(best.stdout))
    exported = streams(work, "export", "--format", "jsonl")
    columns = LINE - {"speedup_ci95", "score_loss_ci95"}
    assert all(json.loads(line).keys() >= columns for line in exported.stdout.splitlines())


def test_counts_of_an_empty_work_directory_are_all_there(work: Work) -> None:
    work.root.mkdir()
    assert work.status()["counts"].keys() == COUNTS


def test_gpus_print_their_keys_as_json_alone(gpu_work: Work, standin: StandIn) -> None:
    ended = streams(gpu_work, "gpus", "--json")
    rows = json.loads(ended.stdout)
    assert [row["uuid"] for row in rows] == [standin.uuid(0), standin.uuid(1)]
    assert all(row.keys() >= GPU for row in rows)


def test_a_run_is_copied_with_its_three_folders(work: Work) -> None:
    # Given a run with a finished, a failed and a measured task
    search = Search(work)
    search.configure(name="s")
    work.shell(f"echo $T >> {work.folder}/history\ntest $T != b", ["a", "b"], retry={"max_attempts": 1})
    with work.start("run", "c.yaml", "s.yaml", *ONE) as run:
        assert run.end() == 1, run.text
    # When its three folders are copied elsewhere, and the old ones are gone
    copy = Work(work.folder, work.env)
    copy.root = work.folder / "elsewhere"
    for name in ("checkpoints", "logs", "results"):
        shutil.copytree(work.root / name, copy.root / name)
    before = work.status()
    shutil.rmtree(work.root)
    # Then the copy is the run
    after = copy.status()
    assert after["workdir"] == str(copy.root)
    assert json.dumps(after) == json.dumps(before).replace(str(work.root), str(copy.root))
    assert copy.json("best", "--json")[0]["task"] == TASK
    files = {path: path.read_bytes() for path in copy.root.rglob("*") if path.is_file()}
    with copy.start("run", "s.yaml", *ONE) as again:
        assert again.end() == 0, again.text
    assert len(search.history()) == 1
    assert {path: path.read_bytes() for path in copy.root.rglob("*") if path.is_file()} == files
    # And the failed task is run again there, it alone
    with copy.start("run", "c.yaml", *ONE) as again:
        assert again.end() == 1, again.text
    assert (work.folder / "history").read_text().split() == ["a", "b", "b"]


def test_a_dry_run_starts_and_writes_nothing(gpu_work: Work, standin: StandIn) -> None:
    gpu_work.shell("touch started", ["a", "b"])
    ended = streams(gpu_work, "run", "c.yaml", "--dry-run")
    assert ended.returncode == 0, ended.stderr
    assert "2 of 2 tasks would run" in ended.stdout
    assert not gpu_work.root.exists() and not (gpu_work.folder / "started").exists()
    assert standin.calls().total() == 0


def test_several_configurations_share_the_slots(work: Work, gate: Gate) -> None:
    # Given two configurations of two tasks each, and two slots
    for name in ("one", "two"):
        work.shell(gate.script(), ["a", "b"])
        (work.folder / "c.yaml").rename(work.folder / f"{name}.yaml")
    with work.start("run", "one.yaml", "two.yaml", "--gpus", "none", "--slots", "2") as run:
        for left in (2, 1, 1):
            # Then two work at any time
            gate.arrivals(left)
            assert work.status()["counts"]["running"] == 2
            gate.open(1)
        gate.open(1)
        assert run.end() == 0, run.text
    rows = work.status()["tasks"]
    assert [(row["config"], row["id"], row["state"]) for row in rows] == [
        (config, task, "done") for config in ("one", "two") for task in "ab"
    ]


def test_an_override_reaches_the_workers_environment(work: Work) -> None:
    work.shell("echo colour is $COLOUR", ["a"], worker={"env": {"COLOUR": "red"}})
    assert work.run(*ONE, "-o", "worker.env.COLOUR=blue").process.returncode == 0
    assert "colour is blue\n" in work.log("a")


def test_a_run_says_nothing_on_stdout(work: Work) -> None:
    work.shell("test $T = a", ["a", "b"], retry={"max_attempts": 1})
    ended = streams(work, "run", "c.yaml", *ONE)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "done: c/a" in ended.stderr and "failed: c/b" in ended.stderr


@pytest.mark.parametrize(("gpu", "code"), [("GPU-none-such", 2), ("7", 2), ("0", 3)])
def test_a_gpu_that_is_not_there_is_a_mistake_and_one_that_is_of_no_use_is_not(
    gpu_work: Work, standin: StandIn, gpu: str, code: int
) -> None:
    standin.set_gpu(0, errors={"*": 15})
    gpu_work.shell("true", ["a"], gpus={"samples": 1})
    run = gpu_work.run("--gpus", gpu)
    assert run.process.returncode == code, run.text
    assert len(run.lines) == 1
    assert gpu_work.states() == {"a": "pending"}


@pytest.mark.parametrize(("options", "code"), [((), 3), (("--gpus", "0"), 2)], ids=["any", "named"])
def test_a_machine_without_gpus_has_its_own_exit_code(
    work: Work, tmp_path: Path, options: tuple[str, ...], code: int
) -> None:
    work.env |= StandIn(tmp_path / "none", gpus=0).environment()
    work.shell("true", ["a"])
    run = work.run(*options)
    assert run.process.returncode == code, run.text
    assert len(run.lines) == 1
