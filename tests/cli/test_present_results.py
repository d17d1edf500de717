"""Only what the present plan would measure counts, in `best`, `report`, `export`, `status` and `plan`."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from tests.cli.test_results_commands import FASTER, FASTEST, ONE, ended, gain
from tests.faults.program import Work
from tests.faults.search import TASK, Search

GOOD = {FASTER: gain(1.5, 0.004, (0.001, 0.008)), FASTEST: gain(2.5, 0.002, (0.001, 0.006))}
NARROW = {"tome": {"ratio": [0.3], "max_downsample": [1]}}


@pytest.fixture
def search(work: Work) -> Search:
    """A search that has run to its end."""
    made = Search(work)
    made.configure()
    made.answer(GOOD)
    made.prompts("a red circle\na blue square\na cat\na dog\n")
    assert work.run(*ONE).process.returncode == 0
    return made


def trials(work: Work, *options: str) -> list[str]:
    return [row["trial"] for row in work.json("best", "--json", *options)]


def exported(work: Work, *options: str) -> list[dict[str, Any]]:
    return [
        json.loads(line) for line in ended(work, "export", "--format", "jsonl", *options).stdout.splitlines()
    ]


def page(work: Work, *options: str) -> str:
    assert ended(work, "report", "-o", "page.html", *options).returncode == 0
    return (work.folder / "page.html").read_text()


@pytest.mark.parametrize(
    "worker",
    [
        {"num_samples": 4},
        # tests/grid/test_reuse.py and test_setting.py prove for each field that the key covers it.
        pytest.param({"guidance_scale": 1.5}, marks=pytest.mark.slow),
        pytest.param({"seed": 7}, marks=pytest.mark.slow),
        pytest.param({"repeats": 2}, marks=pytest.mark.slow),
        pytest.param({"dtype": "bfloat16"}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_results_of_another_setting_do_not_count_unless_asked_for(
    work: Work, search: Search, worker: dict[str, Any]
) -> None:
    # Given the same trials in another setting, of which one fails there
    before = len(exported(work))
    search.configure(worker=worker)
    search.answer({FASTER: GOOD[FASTER], FASTEST: {"status": "failed", "error": "no"}, "baseline": {}})
    work.run(*ONE)
    # Then the fastest of the earlier setting is no bound, and in no table
    assert trials(work) == [FASTER]
    assert [row["status"] for row in exported(work)] == ["ok", "ok", "failed"]
    assert work.status()["tasks"][0]["trials_done"] == 2
    assert "2.50x" not in page(work)
    assert b"--all" in ended(work, "best").stderr
    # On request it is there, and marked
    [row] = [row for row in work.json("best", "--json", "--all") if row["trial"] == FASTEST]
    assert row["other_setting"]
    marked = [row["other_setting"] for row in exported(work, "--all")]
    assert len([mark for mark in marked if mark]) >= before
    assert "2.50x" in page(work, "--all")
    assert row["other_setting"].split(",")[0] in ended(work, "best", "--all").stdout.decode()


def test_a_trial_taken_off_the_list_counts_no_more_and_nothing_is_run(work: Work, search: Search) -> None:
    assert trials(work) == [FASTEST]
    search.configure(methods=NARROW)
    # `plan` says that nothing would run, and `run` runs nothing
    (row,) = work.json("plan", "c.yaml", "--json")["tasks"]
    assert (row["state"], row["action"], row["trials_total"]) == ("done", "skip", 2)
    digest = work.marker(f"{TASK}.done")["digest"]
    assert work.run(*ONE).process.returncode == 0
    assert search.history() == [f"{TASK} 1"]
    assert work.marker(f"{TASK}.done")["digest"] != digest
    assert work.json("plan", "c.yaml", "--json")["tasks"][0]["why"] == "done"
    assert trials(work) == [FASTER]
    assert [row["trial"] for row in exported(work)] == ["baseline", FASTER]
    # And back: it is there again
    search.configure()
    assert work.run(*ONE).process.returncode == 0
    assert search.history() == [f"{TASK} 1"]
    assert trials(work) == [FASTEST]


def test_plan_says_how_many_trials_are_to_be_measured(work: Work, search: Search) -> None:
    search.configure(methods={"tome": {"ratio": [0.3, 0.5, 0.7], "max_downsample": [1]}})
    (row,) = work.json("plan", "c.yaml", "--json")["tasks"]
    assert (row["action"], row["trials_total"], row["trials_stand"]) == ("run", 4, 3)
    shown = ended(work, "plan", "c.yaml").stdout.decode()
    assert "4, 3 stand" in shown and "1 of their 4 trials are to be measured" in shown


def test_the_limits_of_a_traversal_run_nothing_again(work: Work, search: Search) -> None:
    search.configure(search={"strategy": "traversal", "max_score_loss": [0.05, 0.1]})
    assert work.json("plan", "c.yaml", "--json")["tasks"][0]["why"] == "done"
    search.configure(search={"strategy": "upper_bound", "max_score_loss": [0.05]})
    digest = work.marker(f"{TASK}.done")["parts"]
    assert not any("max_score_loss" in key for key in digest)


def test_tasks_outside_the_latest_plan_stay_in_sight(work: Work, search: Search) -> None:
    # Given a run of two tasks, then one of one of them
    search.configure(steps=(4, 6))
    assert work.run(*ONE).process.returncode == 0
    assert work.run("-o", "grid.steps=[6]", *ONE).process.returncode == 0
    # Then plan.json holds what was run, and the other task is shown, marked
    assert [task["id"] for task in work.marker("plan.json")["tasks"]] == ["tiny_DDIM_6"]
    status = work.status()
    assert status["counts"]["done"] == 2
    found = {task["id"]: task["message"] for task in status["tasks"]}
    assert found == {"tiny_DDIM_6": None, TASK: "not in the latest plan"}
    rows = work.json("best", "--json")
    assert [(row["task"], row["trial"], row["in_plan"]) for row in rows] == [
        ("tiny_DDIM_6", FASTEST, True),
        (TASK, FASTEST, False),
    ]
    assert "not in the latest plan" in ended(work, "best").stdout.decode()
    assert "not in the latest plan" in page(work)
    assert {row["task"] for row in exported(work)} == {TASK, "tiny_DDIM_6"}
    assert ended(work, "logs", TASK).returncode == 0
    # What a changed setting makes of it: nothing that counts
    assert work.run("-o", "grid.steps=[6]", "-o", "worker.seed=9", *ONE).process.returncode == 0
    assert [task["id"] for task in work.status()["tasks"]] == ["tiny_DDIM_6"]
    assert {row["task"] for row in work.json("best", "--json")} == {"tiny_DDIM_6"}
    # And the whole grid again runs nothing anew
    history = search.history()
    assert work.run(*ONE).process.returncode == 0
    assert len(search.history()) == len(history) + 1  # the one whose marker is of seed 9
    assert work.status()["counts"]["done"] == 2


def test_several_limits_are_shown_at_once(work: Work, search: Search) -> None:
    limits = ("--max-loss", "0.007", "--max-loss", "0.005")
    rows = work.json("best", "--json", *limits)
    assert [(row["max_loss"], row["decision"], row["trial"]) for row in rows] == [
        (0.007, "within", FASTEST),
        (0.005, "within", "baseline"),
        (0.005, "unresolved", FASTEST),
    ]
    assert rows[-1]["prompts_needed"] >= 2
    shown = ended(work, "best", *limits).stdout.decode()
    assert FASTEST in shown and "prompts would settle it" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert "0.7 %" in page(work, *limits) and "0.5 %" in page(work, *limits)


@pytest.mark.parametrize("command", ["best", "report", "export", "status", "retry --failed"])
def test_a_folder_without_a_run_is_said_in_one_line(work: Work, command: str) -> None:
    for folder in ("absent", "empty"):
        if folder == "empty":
            work.root.mkdir()
        done = ended(work, *command.split())
        assert (done.returncode, done.stdout) == (2, b""), done
        assert len(done.stderr.splitlines()) == 1
    assert not (work.folder / "report.html").exists()
    assert sorted(work.root.iterdir()) == []


def test_status_of_an_empty_folder_can_be_polled(work: Work) -> None:
    work.root.mkdir()
    done = ended(work, "status", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["tasks"] == []
    assert b"no run has been started here" in done.stderr


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_what_is_made_to_be_shown_has_the_mode_of_the_umask(
    work: Work, search: Search, umask: int, mode: int
) -> None:
    before = os.umask(umask)
    try:
        page(work)
        assert ended(work, "export", "--format", "csv", "-o", "t.csv").returncode == 0
    finally:
        os.umask(before)
    for name in ("page.html", "t.csv", "t.csv.schema.json"):
        assert stat.S_IMODE((work.folder / name).stat().st_mode) == mode, name
    assert stat.S_IMODE(Path(work.root, "checkpoints", "c", "plan.json").stat().st_mode) == 0o600


def test_a_configuration_that_never_started_is_one_line_and_can_be_forgotten(
    work: Work, search: Search
) -> None:
    # Given a second configuration, all tasks of which failed at their start
    (work.folder / "d.yaml").write_text(
        (work.folder / "c.yaml")
        .read_text()
        .replace('"steps": [4]', '"steps": [4, 6, 8]')
        .replace('"cpu"', '"cuda"')
    )
    assert work.start("run", "d.yaml").end() == 3
    done = ended(work, "best")
    assert done.stderr.decode().splitlines() == ["d: 3 of 3 tasks have no result yet"]
    assert "3 tasks have not been run yet" in page(work)
    # When it is forgotten
    gone = ended(work, "forget", "d")
    assert (gone.returncode, gone.stdout) == (0, b"")
    assert gone.stderr.decode().startswith("removed d: 0 finished tasks, 0 measured trials, ")
    # Then nothing of it is left, and nothing of the other is gone
    assert [path for path in work.root.rglob("*") if "d" in path.relative_to(work.root).parts] == []
    assert ended(work, "best").stderr == b""
    assert trials(work) == [FASTEST]
    # What has results is only removed on request, an unknown name never
    kept = ended(work, "forget", "c")
    assert kept.returncode == 2 and b"1 finished tasks, 3 measured trials" in kept.stderr
    assert ended(work, "forget", "cc").returncode == 2
    assert trials(work) == [FASTEST]
    assert ended(work, "forget", "c", "--results").returncode == 0
    assert ended(work, "best").returncode == 2


def test_nothing_is_forgotten_while_a_run_is_alive(work: Work, gate: Any) -> None:
    work.shell(gate.script(), ["a"])
    with work.start_run(*ONE) as run:
        gate.arrivals(1)
        refused = ended(work, "forget", "c", "--results")
        assert refused.returncode == 2 and str(run.process.pid).encode() in refused.stderr
        assert work.states() == {"a": "running"}
        gate.open()
        assert run.end() == 0
