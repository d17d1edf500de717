"""`best`, `export` and `report` as programs, on results that a run has validated, and what is kept out of them."""

import csv
import io
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.faults.program import ACCSEARCH, Work
from tests.faults.search import TASK, Search

import accsearch

ONE = ("--gpus", "none", "--slots", "1")
FASTER, FASTEST = "tome-r0.3-d1", "tome-r0.5-d1"


@pytest.fixture
def search(work: Work) -> Search:
    """A search whose fastest trial loses too much, and whose other one does not."""
    made = Search(work)
    made.configure()
    made.answer(
        {
            FASTER: gain(1.5, 0.004, (0.001, 0.008)),
            FASTEST: gain(2.5, 0.05, (0.04, 0.06)),
        }
    )
    return made


def gain(speedup: float, loss: float, interval: tuple[float, float]) -> dict[str, Any]:
    """Return what differs in the line of an approximate trial."""
    return {
        "seconds_per_image": 1 / speedup,
        "times": [1 / speedup] * 2,
        "clip_score": 30 * (1 - loss),
        "scores": [29 * (1 - loss), 31 * (1 - loss)],
        "speedup": speedup,
        "speedup_ci95": [speedup - 0.1, speedup + 0.1],
        "score_loss": loss,
        "score_loss_ci95": list(interval),
        "active": True,
    }


def ended(work: Work, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    command = [*ACCSEARCH, *arguments, "--workdir", str(work.root)]
    return subprocess.run(command, env=work.env, cwd=work.folder, capture_output=True, check=False)


def bounds(work: Work, *options: str) -> list[tuple[str, str]]:
    """Return trial and decision of each row of `best --json`."""
    return [(row["trial"], row["decision"]) for row in work.json("best", "--json", *options)]


def test_best_is_the_fastest_trial_within_the_limit(work: Work, search: Search) -> None:
    assert work.run(*ONE).process.returncode == 0
    assert search.trials() == ["baseline", FASTER, FASTEST]
    (row,) = work.json("best", "--json")
    assert (row["task"], row["trial"], row["decision"]) == (TASK, FASTER, "within")
    assert (row["max_loss"], row["speedup"], row["score_loss"]) == (0.01, 1.5, 0.004)
    assert row["methods"] == {"tome": {"ratio": 0.3, "max_downsample": 1}}
    assert bounds(work, "--max-loss", "0.1") == [(FASTEST, "within")]
    assert bounds(work, "--max-loss", "0.05") == [(FASTER, "within"), (FASTEST, "unresolved")]
    assert bounds(work, "--max-loss", "0.0001") == [("baseline", "within")]
    assert bounds(work, "--per", "pipe") == [(FASTER, "within")]


def test_a_notebook_gets_the_trials_as_a_table(work: Work, search: Search) -> None:
    assert work.run(*ONE).process.returncode == 0

    found = accsearch.results(work.root)

    assert list(found["trial"]) == ["baseline", FASTER, FASTEST]
    assert list(found["speedup"]) == [1.0, 1.5, 2.5]
    assert found["psnr"].isna().all() and found["methods"][1] == {"tome": {"ratio": 0.3, "max_downsample": 1}}


@pytest.mark.parametrize(
    "wrong",
    [{"active": False}, {"condition": "short"}, {"status": "pruned"}],
    ids=lambda fields: str(*fields),
)
def test_what_is_no_active_measured_trial_is_no_upper_bound(
    work: Work, search: Search, wrong: dict[str, Any]
) -> None:
    search.answer({FASTER: gain(1.5, 0.004, (0.001, 0.008)), FASTEST: gain(9, 0.0, (0.0, 0.0)) | wrong})
    assert work.run(*ONE).process.returncode == 0
    assert bounds(work) == [(FASTER, "within")]
    assert bounds(work, "--per", "pipe") == [(FASTER, "within")]


NAN = float("nan")
UNDEFINED = {
    "score": {"clip_score": NAN, "scores": [NAN, 31.0]},
    "null": {"clip_score": None, "scores": [None, 31.0], "score_loss": None, "score_loss_ci95": None},
    "loss": {"score_loss": NAN, "score_loss_ci95": [NAN, NAN]},
    "speed-up": {"speedup": float("inf")},
    "time": {"seconds_per_image": NAN},
}


@pytest.mark.parametrize("what", UNDEFINED)
def test_a_number_that_is_none_fails_the_task_and_is_no_upper_bound(
    work: Work, search: Search, what: str
) -> None:
    # Given a trial that would be the fastest without a loss, but for one number
    perfect = gain(9, 0.0, (0.0, 0.0)) | UNDEFINED[what]
    search.answer({FASTER: gain(1.5, 0.004, (0.001, 0.008)), FASTEST: perfect})
    run = work.run(*ONE)
    # Then the task has failed, and says for which trial
    assert run.process.returncode == 1, run.text
    failed = work.marker(f"{TASK}.failed")
    assert failed["reason"] == "validation"
    assert FASTEST in failed["message"] and FASTER not in failed["message"]
    # And nobody takes it for a bound, or prints what is no JSON
    assert (FASTEST, "within") not in bounds(work, "--max-loss", "0.9")
    for line in ended(work, "export", "--format", "jsonl").stdout.splitlines():
        json.loads(line, parse_constant=pytest.fail)


def test_trials_are_exported_as_a_table(work: Work, search: Search) -> None:
    assert work.run(*ONE).process.returncode == 0
    printed = ended(work, "export", "--format", "csv")
    assert printed.returncode == 0 and printed.stderr == b""
    rows = list(csv.DictReader(io.StringIO(printed.stdout.decode())))
    assert [row["trial"] for row in rows] == ["baseline", FASTER, FASTEST]
    assert [row["task"] for row in rows] == [TASK] * 3
    assert (rows[1]["pipe"], rows[1]["sched"], rows[1]["steps"]) == ("tiny", "DDIM", "4")
    assert float(rows[1]["speedup"]) == 1.5 and float(rows[1]["score_loss_ci95_high"]) == 0.008
    assert json.loads(rows[2]["methods"]) == {"tome": {"ratio": 0.5, "max_downsample": 1}}
    assert rows[1]["psnr"] == ""
    written = ended(work, "export", "--format", "csv", "-o", "trials.csv")
    assert (written.returncode, written.stdout) == (0, b"")
    assert (work.folder / "trials.csv").read_bytes() == printed.stdout


def test_the_report_is_one_page_that_needs_nothing_else(work: Work, search: Search) -> None:
    assert work.run(*ONE).process.returncode == 0
    written = ended(work, "report", "-o", "page.html")
    assert (written.returncode, written.stdout) == (0, b"")
    assert b"page.html" in written.stderr
    page = (work.folder / "page.html").read_text()
    assert page.startswith("<!doctype html>") and page.rstrip().endswith("</html>")
    assert all(each in page for each in (TASK, FASTER.partition("-")[0], "1.50", "within"))
    assert not any(each in page for each in ("<script", "<link", 'src="http', "url(http"))


SECRETS = {
    "env": "correct-horse-battery",
    "command": "hf_abcdefghijklmnopqrstuvwxyzABCDEF",
    "option": "tr0ub4dor-and-three",
    "outside": "staple-of-the-session",
}


def test_no_token_reaches_a_log_a_marker_or_a_page(work: Work) -> None:
    # Given tokens in the worker's environment, in its command, and in the environment of the run
    program = work.folder / "worker.sh"
    program.write_text(
        "echo $MY_TOKEN $2 $4 $SESSION_SECRET\n"
        'if test $1 = b; then echo "ValueError: refused $MY_TOKEN $2 $4 $SESSION_SECRET"; exit 1; fi\n'
        "echo finished $1\n"
    )
    work.configure(
        ["sh", str(program), "{n}", SECRETS["command"], "--api-key", SECRETS["option"]],
        {"n": ["a", "b"]},
        worker={"env": {"MY_TOKEN": SECRETS["env"]}},
        retry={"max_attempts": 1},
    )
    work.env["SESSION_SECRET"] = SECRETS["outside"]
    run = work.run(*ONE)
    assert run.process.returncode == 1, run.text
    # Then they are masked wherever somebody looks
    assert work.log("a").splitlines()[0] == "[redacted] [redacted] [redacted] [redacted]"
    shown = {
        "run": run.text.encode(),
        "status": ended(work, "status", "--json").stdout,
        "report": page_of(work),
        "plan": ended(work, "plan", "c.yaml", "--json", "-o", "worker.env.MORE=1").stdout,
    }
    for path in work.root.rglob("*"):
        if path.is_file() and path.name != "plan.json":
            shown[str(path.relative_to(work.root))] = path.read_bytes()
    found = [
        (name, kind) for name, text in shown.items() for kind in SECRETS if SECRETS[kind].encode() in text
    ]
    assert found == []
    assert "ValueError: refused [redacted]" in work.marker("b.failed")["message"]
    # What must hold them to start a task again is its owner's alone
    assert (work.root / "checkpoints" / "c" / "plan.json").stat().st_mode & 0o077 == 0


def page_of(work: Work) -> bytes:
    assert ended(work, "report", "-o", "page.html").returncode == 0
    return Path(work.folder, "page.html").read_bytes()


@pytest.mark.parametrize(
    ("limit", "hint"), [("nan", ""), ("inf", ""), ("-1", ""), ("2", "; did you mean 0.02?")]
)
def test_a_limit_that_is_no_share_is_one_line(work: Work, limit: str, hint: str) -> None:
    work.root.mkdir()
    done = ended(work, "best", "--max-loss", limit, "--json")
    assert done.returncode == 2
    assert done.stderr.decode().splitlines() == [f"accsearch: --max-loss {limit}: allowed 0 to 1{hint}"]


@pytest.mark.parametrize("command", ["export", "report"])
def test_nothing_but_a_file_is_replaced(work: Work, command: str) -> None:
    pipe = work.folder / "pipe"
    os.mkfifo(pipe)
    done = ended(work, command, "-o", str(pipe))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert pipe.is_fifo()
