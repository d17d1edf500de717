"""Streams that are closed, full or without a reader, and paths that are not UTF-8: no traceback, nothing lost."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from tests.faults.program import ACCSEARCH, Work

ONE = ("--gpus", "none", "--slots", "1")
NOT_UTF8 = os.fsdecode(b"w\xff\xe9")


def accsearch(work: Work, redirection: str, *words: str, **env: str) -> "subprocess.CompletedProcess[bytes]":
    """Run accsearch from a shell with its streams redirected."""
    line = ["sh", "-c", f'"$@" {redirection}', "sh", *ACCSEARCH, *words, "--workdir", str(work.root)]
    return subprocess.run(line, cwd=work.folder, env=work.env | env, capture_output=True, check=False)


@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_run_with_closed_streams_is_a_run(work: Work, closed: str) -> None:
    work.shell("echo work; echo more >&2; cat", ["a", "b"])

    ended = accsearch(work, closed, "run", "c.yaml", *ONE)

    assert ended.returncode == 0, ended.stderr
    assert work.states() == {"a": "done", "b": "done"}
    assert work.log("a") == "work\nmore\nfinished a\n"
    assert b"Traceback" not in ended.stdout + ended.stderr


def test_a_run_whose_stderr_is_full_goes_on(work: Work) -> None:
    work.shell("true", ["a"])
    assert accsearch(work, "2>/dev/full", "run", "c.yaml", *ONE).returncode == 0
    assert work.states() == {"a": "done"}


@pytest.fixture
def finished(work: Work) -> Work:
    work.shell("true", ["a"])
    assert work.run(*ONE).process.returncode == 0
    return work


@pytest.mark.parametrize(
    "words", [("status",), ("status", "--json"), ("plan", "c.yaml"), ("logs", "a"), ("run", "--help")]
)
def test_output_that_cannot_be_written_is_one_line(finished: Work, words: tuple[str, ...]) -> None:
    ended = accsearch(finished, ">/dev/full", *words)
    assert ended.returncode == 4
    assert ended.stderr == b"accsearch: output: No space left on device\n"


@pytest.mark.parametrize(
    "words", [("status",), ("status", "--json"), ("export", "--format", "csv"), ("nonsense",)]
)
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_changes_no_exit_code(finished: Work, words: tuple[str, ...], closed: str) -> None:
    ended = accsearch(finished, closed, *words)
    assert ended.returncode == (2 if words == ("nonsense",) else 0)
    assert b"Traceback" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("words", [("status",), ("status", "--json"), ("plan", "c.yaml")])
def test_a_reader_that_has_gone_is_no_failure(finished: Work, words: tuple[str, ...]) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    line = [*ACCSEARCH, *words, "--workdir", str(finished.root)]
    ended = subprocess.run(
        line, cwd=finished.folder, env=finished.env, stdout=theirs, stderr=subprocess.PIPE, check=False
    )
    os.close(theirs)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_work_directory_whose_name_is_not_utf_8(work: Work) -> None:
    work.root = Path(os.fsdecode(work.folder / NOT_UTF8))
    work.configure(["sh", "-c", 'test -d "$1" && echo "finished $0"', "{n}", "{workdir}"], {"n": ["a"]})

    run = accsearch(work, "", "run", "c.yaml", *ONE)

    assert run.returncode == 0, run.stderr
    assert json.loads(accsearch(work, "", "status", "--json").stdout)["workdir"] == str(work.root)
    for words in (
        ("status",),
        ("plan", "c.yaml"),
        ("report",),
        ("best",),
        ("logs", "a"),
        ("export", "--format", "csv"),
    ):
        ended = accsearch(work, "", *words)
        assert (ended.returncode, b"Traceback" in ended.stderr) == (0, False), ended.stderr
    assert os.fsencode(work.root) in accsearch(work, "", "doctor").stdout
    assert os.fsencode(work.root) in accsearch(work, "", "stop").stderr


def test_a_sign_that_the_terminal_lacks_is_written_as_its_escape(work: Work) -> None:
    work.shell("echo 'größe ≥ 3: 火' ; exit 1", ["a"], retry={"max_attempts": 1})
    assert accsearch(work, "", "run", "c.yaml", *ONE, PYTHONIOENCODING="latin-1").returncode == 1
    shown = accsearch(work, "", "status", PYTHONIOENCODING="latin-1")
    assert shown.returncode == 0, shown.stderr
    assert "größe".encode("latin-1") in shown.stdout and b"\\u706b" in shown.stdout
