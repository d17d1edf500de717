"""`profile export` and `profile check` as programs; the worker writes the lines that a test wants."""

import hashlib
import json
import os
import subprocess

import pytest
from tests.cli.test_results_commands import FASTER, ONE, ended, gain
from tests.faults.program import ACCSEARCH, Work
from tests.faults.search import TASK, Search

from accsearch.config.load import build_config
from accsearch.grid import expand
from accsearch.report.profile import _one_trial


def check(work: Work, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    # The profile hands no environment on, so the stand-in worker comes by that of the command.
    env = work.env | {
        "PYTHONPATH": os.pathsep.join([str(work.folder / "fake"), work.env.get("PYTHONPATH", "")])
    }
    command = [*ACCSEARCH, "profile", "check", *arguments, "--gpus", "none"]
    return subprocess.run(command, env=env, cwd=work.folder, capture_output=True, check=False)


def test_a_profile_holds_where_its_trial_is_measured_alike_and_not_where_it_is_slower(work: Work) -> None:
    search = Search(work)
    search.configure(worker={"command": []})
    search.answer({FASTER: gain(1.5, 0.004, (0.001, 0.008))})
    assert work.run(*ONE).process.returncode == 0
    file = work.folder / "p.json"

    assert ended(work, "profile", "export", TASK, "-o", str(file)).returncode == 0

    profile = json.loads(file.read_text())
    assert (profile["task"], profile["trial"], profile["speedup"]) == (f"c/{TASK}", FASTER, 1.5)
    assert profile["score_loss_ci95"] == [0.001, 0.008] and profile["max_loss"] == 0.01
    assert profile["setting"]["steps"] == 4 and profile["setting"]["dtype"] == "float32"
    results = work.root / profile["evidence"]["results"]
    assert profile["evidence"]["sha256"] == hashlib.sha256(results.read_bytes()).hexdigest()
    assert "env" not in profile["config"]["worker"]

    same = check(work, str(file), "--prompts", "2")
    assert same.returncode == 0, same.stderr
    assert same.stdout.decode().startswith("holds here\nspeed-up: 1.50x [1.40, 1.60] in the profile, 1.50x")
    # Only the baseline and the profile's trial were measured.
    assert b"3/3" not in same.stderr

    search.answer({FASTER: gain(1.2, 0.04, (0.02, 0.06))})
    other = check(work, str(file), "--prompts", "2")
    assert other.returncode == 1
    assert b"does not hold here" in other.stdout
    assert b"surely lower" in other.stdout and b"surely above the limit" in other.stdout


def test_a_token_of_a_scoring_program_is_not_handed_on() -> None:
    grid = {"pipe": ["demo"], "sched": ["DDIM"], "steps": [4]}
    command = ["sh", "score.sh", "--api-key", "not-for-others", "--fast"]
    config = build_config({"name": "c", "grid": grid, "quality": {"command": command}})

    kept = _one_trial(config, expand(config).tasks[0].axes, FASTER, 2)

    assert kept["quality"]["command"] == ["sh", "score.sh", "--api-key", "[redacted]", "--fast"]


def test_without_a_winner_there_is_no_profile(work: Work) -> None:
    Search(work).configure()
    assert work.run(*ONE).process.returncode == 0

    export = ended(work, "profile", "export", TASK)

    assert (export.returncode, export.stdout) == (2, b"")
    assert b"nothing is faster than the baseline within a loss of 1" in export.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "cannot be read as a profile"), ("{}", "not a profile (it lacks config)"), (None, "no such file")],
)
def test_what_is_no_profile_is_one_line(work: Work, text: str | None, message: str) -> None:
    file = work.folder / "p.json"
    if text is not None:
        file.write_text(text)

    found = check(work, str(file))

    assert found.returncode == 2
    assert message in found.stderr.decode() and len(found.stderr.splitlines()) == 1
