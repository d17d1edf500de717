"""What becomes of finished tasks: markers that are damaged, results that are cut, configurations that change."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.faults.program import Work
from tests.faults.search import TASK, Search

ONE = ("--gpus", "none", "--slots", "1")


@pytest.fixture
def search(work: Work) -> Search:
    made = Search(work)
    made.configure()
    return made


def finish(work: Work, script: str = "true") -> None:
    """Run the tasks a and b to their end; each start stands in `history`."""
    work.shell(f"echo $T >> {work.folder}/history\n{script}", ["a", "b"])
    run = work.run(*ONE)
    assert run.process.returncode == 0, run.text


def history(work: Work) -> list[str]:
    return (work.folder / "history").read_text().split()


def rows(work: Work, *options: str) -> dict[str, dict[str, Any]]:
    """Return what `plan` says of each task of c.yaml."""
    return {each["id"]: each for each in work.json("plan", "c.yaml", "--json", *options)["tasks"]}


def row(work: Work, task: str, *options: str) -> dict[str, Any]:
    """Return what `plan` says of one task of c.yaml."""
    return rows(work, *options)[task]


def marker_of(work: Work, task: str) -> Path:
    return work.root / "checkpoints" / "c" / f"{task}.done"


def edit(work: Work, task: str, **fields: Any) -> None:
    """Change fields of a `.done`."""
    path = marker_of(work, task)
    path.write_text(json.dumps(json.loads(path.read_text()) | fields) + "\n")


DAMAGE = {
    "empty": (lambda data: b"", "empty"),
    "truncated": (lambda data: data[: len(data) // 2], "truncated"),
    "cut in its last part": (lambda data: data[:-10], "truncated"),
    "NUL": (lambda data: bytes(len(data)), "filled with NUL"),
    "newer": (lambda data: data.replace(b'"schema": 1', b'"schema": 2', 1), "newer version (schema 2)"),
    "of another task": (lambda data: data.replace(b'"task": "a"', b'"task": "b"', 1), "another task"),
    "without an attempt": (lambda data: data.replace(b'"attempt"', b'"atempt"', 1), "no 'attempt'"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_marker_is_set_aside_and_its_task_runs_again(work: Work, kind: str) -> None:
    # Given two finished tasks, the marker of one damaged
    finish(work)
    damage, why = DAMAGE[kind]
    done, other = marker_of(work, "a"), marker_of(work, "b").read_bytes()
    damaged = damage(done.read_bytes())
    done.write_bytes(damaged)
    # When it is planned, which changes nothing
    planned = row(work, "a")
    assert (planned["action"], planned["state"]) == ("run", "pending")
    assert "a.done" in planned["why"] and why in planned["why"]
    assert done.read_bytes() == damaged
    # Then a run prints the reason, sets the marker aside and runs this task only
    run = work.run(*ONE)
    assert run.process.returncode == 0, run.text
    assert any("c/a: runs again" in line and why in line for line in run.lines), run.text
    assert done.with_name("a.done.aside").read_bytes() == damaged
    assert work.marker("a.done")["attempt"] == 2
    assert history(work) == ["a", "b", "a"]
    assert marker_of(work, "b").read_bytes() == other


RESULTS = "for n in 1 2 3; do echo '{\"n\": '$n'}'; done > {root}/results/c/$T.jsonl"


@pytest.mark.parametrize("kind", ["shorter", "missing", "longer"])
def test_results_of_another_size_than_the_marker_says_are_made_again(work: Work, kind: str) -> None:
    finish(work, RESULTS.replace("{root}", str(work.root)))
    results = work.root / "results" / "c" / "a.jsonl"
    whole = results.read_bytes()
    changed = {"shorter": whole[:-9], "longer": whole + b"{}\n", "missing": b""}[kind]
    results.write_bytes(changed)
    if kind == "missing":
        results.unlink()
    why = "is missing" if kind == "missing" else f"has {len(changed)} bytes, {len(whole)} when"
    planned = rows(work)
    assert planned["a"]["action"] == "run" and why in planned["a"]["why"]
    assert planned["b"]["action"] == "skip"
    run = work.run(*ONE)
    assert run.process.returncode == 0, run.text
    assert any("c/a: runs again" in line and why in line for line in run.lines), run.text
    assert results.read_bytes() == whole
    assert history(work) == ["a", "b", "a"]


def test_a_log_without_the_sentinel_is_held_against_a_task_and_a_deleted_one_is_not(work: Work) -> None:
    finish(work)
    logs = work.root / "logs" / "c"
    (logs / "a.log").write_text("something else\n")
    (logs / "b.log").unlink()
    run = work.run(*ONE)
    assert run.process.returncode == 0, run.text
    assert any("c/a: runs again" in line and "sentinel" in line for line in run.lines), run.text
    assert history(work) == ["a", "b", "a"]


def test_a_changed_configuration_runs_again_and_says_what_changed(work: Work) -> None:
    finish(work)
    changed = ("-o", "worker.env.COLOUR=red")
    planned = rows(work, *changed)
    assert [each["action"] for each in planned.values()] == ["run", "run"]
    assert all("changed since: worker.env" in each["why"] for each in planned.values())
    kept = rows(work, *changed, "--keep-stale")
    assert [each["action"] for each in kept.values()] == ["skip", "skip"]
    # Accepted as it is, nothing runs and the markers stay
    before = marker_of(work, "a").read_bytes()
    run = work.run(*ONE, *changed, "--keep-stale")
    assert run.process.returncode == 0, run.text
    assert history(work) == ["a", "b"]
    assert marker_of(work, "a").read_bytes() == before
    # Otherwise everything does, with the reason
    run = work.run(*ONE, *changed)
    assert run.process.returncode == 0, run.text
    for task in "ab":
        assert any(f"c/{task}: runs again" in line and "worker.env" in line for line in run.lines), run.text
    assert sorted(history(work)) == ["a", "a", "b", "b"]
    assert row(work, "a", *changed)["action"] == "skip"


def test_what_does_not_change_a_result_runs_nothing_again(work: Work) -> None:
    finish(work)
    changed = ("-o", "retry.max_attempts=7", "-o", "gpus.samples=1", "-o", "worker.timeout=1h")
    run = work.run(*ONE, *changed)
    assert run.process.returncode == 0, run.text
    assert history(work) == ["a", "b"]


def test_changed_prompts_run_again(work: Work, search: Search) -> None:
    assert work.run(*ONE).process.returncode == 0
    assert row(work, TASK)["action"] == "skip"
    # When the file says something else, at the same length
    search.prompts("a red circle\na blue sphere\n")
    planned = row(work, TASK)
    assert planned["action"] == "run"
    assert planned["why"] == "changed since: prompts"
    assert row(work, TASK, "--keep-stale")["action"] == "skip"
    # Then a run measures anew
    run = work.run(*ONE)
    assert run.process.returncode == 0, run.text
    assert f"c/{TASK}: runs again: changed since: prompts" in run.text
    assert search.history() == [f"{TASK} 1", f"{TASK} 2"]


def test_another_revision_of_the_model_runs_again(work: Work, search: Search) -> None:
    pipe = {"name": "tiny", "model": "someone/something", "class": "StableDiffusionPipeline"}
    search.configure(pipe=pipe | {"revision": "one"})
    assert work.run(*ONE).process.returncode == 0
    assert row(work, TASK)["action"] == "skip"
    search.configure(pipe=pipe | {"revision": "two"})
    planned = row(work, TASK)
    assert planned["action"] == "run"
    assert "model someone/something@one -> someone/something@two" in planned["why"]
    assert row(work, TASK, "--keep-stale")["action"] == "skip"
    assert work.run(*ONE, "--keep-stale").process.returncode == 0
    assert len(search.history()) == 1


def test_another_way_of_measuring_runs_again(work: Work, search: Search) -> None:
    # Given a task that was measured before the measurement version was raised
    assert work.run(*ONE).process.returncode == 0
    parts = work.marker(f"{TASK}.done")["parts"]
    edit(work, TASK, digest="0" * 16, parts=parts | {"measurement_version": "0"})
    results = work.root / "results" / "c" / f"{TASK}.jsonl"
    results.write_text(re.sub('"key": "[0-9a-f]{16}"', f'"key": "{"0" * 16}"', results.read_text()))
    planned = row(work, TASK)
    assert planned["action"] == "run"
    assert f"measurement_version 0 -> {parts['measurement_version']}" in planned["why"]
    run = work.run(*ONE)
    assert run.process.returncode == 0, run.text
    assert "measurement_version" in run.text
    assert len(search.history()) == 2


def test_a_new_package_version_is_shown_and_runs_again_only_if_asked(work: Work, search: Search) -> None:
    assert work.run(*ONE).process.returncode == 0
    versions = work.marker(f"{TASK}.done")["versions"]
    edit(work, TASK, versions=versions | {"torch": "0.0.1"})
    change = f"torch 0.0.1 -> {versions['torch']}"
    # Given that, plan shows it and a run does nothing
    planned = row(work, TASK)
    assert planned["action"] == "skip" and change in planned["why"]
    assert work.run(*ONE).process.returncode == 0
    assert len(search.history()) == 1
    # When asked to, it runs
    planned = row(work, TASK, "--rerun-on", "versions")
    assert planned["action"] == "run" and change in planned["why"]
    run = work.run(*ONE, "--rerun-on", "versions")
    assert run.process.returncode == 0, run.text
    assert any("runs again" in line and change in line for line in run.lines), run.text
    assert len(search.history()) == 2
    assert work.marker(f"{TASK}.done")["versions"] == versions


def test_a_failure_beside_a_later_success_goes(work: Work) -> None:
    work.shell("test -e mended", ["a"], retry={"max_attempts": 1, "backoff": "0s"})
    assert work.run(*ONE).process.returncode == 1
    (work.folder / "mended").touch()
    # As a scheduler leaves it that is killed after it has written the one and before it removes the other
    failed = work.root / "checkpoints" / "c" / "a.failed"
    kept = failed.read_bytes()
    assert work.run(*ONE).process.returncode == 0
    failed.write_bytes(kept)
    assert work.run(*ONE).process.returncode == 0
    assert work.states() == {"a": "done"}
    assert work.markers("failed") == []
