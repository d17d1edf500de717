"""Colour, live display and keys on a terminal, and none of them elsewhere."""

import os
import select
import subprocess

import pytest
from tests.cli.terminal import COLOUR, INTERRUPT, Terminal
from tests.faults.program import ACCSEARCH, LONG, Gate, Work, is_alive
from tests.faults.search import Search

ONE = ("--gpus", "none", "--slots", "1")


@pytest.fixture
def finished(work: Work) -> Work:
    """A work directory with a finished and a failed task."""
    work.shell("test $T = a", ["a", "b"], retry={"max_attempts": 1})
    assert work.run(*ONE).process.returncode == 1
    return work


def test_status_is_coloured_on_a_terminal_unless_that_is_unwanted(finished: Work) -> None:
    with Terminal(finished, "status") as coloured, Terminal(finished, "status", NO_COLOR="1") as plain:
        assert (coloured.end(), plain.end()) == (0, 0)
    assert COLOUR.search(coloured.raw)
    assert not COLOUR.search(plain.raw)
    assert coloured.text == plain.text
    assert "c/b" in plain.text and "failed" in plain.text


def test_a_run_draws_on_a_terminal(work: Work, gate: Gate) -> None:
    work.shell(gate.script(), ["a"])
    with Terminal(work, "run", "c.yaml", *ONE) as run:
        gate.arrivals(1)
        run.await_text("1 running, 0 waiting")
        gate.open()
        assert run.end() == 0, run.text
    assert "\x1b[" in run.raw
    assert "done: c/a" in run.text


def test_a_run_neither_draws_nor_colours_where_that_is_unwanted(work: Work) -> None:
    work.shell("test $T = a", ["a", "b"], retry={"max_attempts": 1})
    with Terminal(work, "run", "c.yaml", *ONE, NO_COLOR="1") as run:
        assert run.end() == 1, run.text
    assert "\x1b" not in run.raw
    assert "done: c/a" in run.text and "failed: c/b" in run.text


def test_nothing_is_coloured_or_drawn_where_there_is_no_terminal(work: Work) -> None:
    Search(work).configure()
    (work.folder / "c.yaml").rename(work.folder / "s.yaml")
    work.shell("test $T = a", ["a", "b"], retry={"max_attempts": 1})
    env = work.env | {"TERM": "xterm-256color"}
    for words in (("run", "s.yaml", "c.yaml", *ONE), ("plan", "s.yaml"), ("status",), ("best",), ("gpus",)):
        command = [*ACCSEARCH, *words, "--workdir", str(work.root)]
        ended = subprocess.run(command, env=env, cwd=work.folder, capture_output=True, check=False)
        assert ended.stdout + ended.stderr != b""
        assert b"\x1b" not in ended.stdout + ended.stderr, words
        assert b"0 running" not in ended.stderr


def test_watching_follows_a_run_and_ends_on_ctrl_c(work: Work, gate: Gate) -> None:
    work.shell(gate.script(), ["a"])
    with work.start_run(*ONE) as run:
        # Until then the work directory may not be there, which is refused.
        gate.arrivals(1)
        with Terminal(work, "status", "--watch") as watch:
            watch.await_text("c/a")
            watch.await_text("running")
            gate.open()
            assert run.end() == 0, run.text
            # Drawn anew without being asked
            watch.await_text("1 done")
            watch.press(INTERRUPT)
            assert watch.end() == 130, watch.text
    assert "Traceback" not in watch.text


def test_watching_needs_a_terminal(finished: Work) -> None:
    with finished.start("status", "--watch") as watch:
        assert watch.end() == 2
    assert len(watch.lines) == 1 and "--json" in watch.text


def test_ctrl_c_drains_a_run_and_leaves_its_workers_alone(work: Work, gate: Gate) -> None:
    # Given a run in the foreground of a terminal: the key reaches every process there
    work.shell(gate.script(), ["a", "b"])
    with Terminal(work, "run", "c.yaml", *ONE) as run:
        worker = gate.arrivals(1)["a"]
        run.press(INTERRUPT)
        run.await_text("no new tasks")
        assert is_alive(worker)
        gate.open()
        assert run.end() == 130, run.text
    assert work.states() == {"a": "done", "b": "pending"}


class Follower:
    """`logs -f` of a task, its output read as it comes."""

    def __init__(self, work: Work, *arguments: str) -> None:
        command = [*ACCSEARCH, "logs", *arguments, "--workdir", str(work.root)]
        self.process = subprocess.Popen(command, env=work.env, cwd=work.folder, stdout=subprocess.PIPE)
        self.text = ""

    def await_text(self, part: str) -> None:
        while part not in self.text:
            assert self._read(), f"ended without {part!r}: {self.text}"

    def end(self) -> int:
        while self._read():
            pass
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait(LONG)

    def _read(self) -> bool:
        assert self.process.stdout is not None
        assert select.select([self.process.stdout], [], [], LONG)[0], self.text
        data = os.read(self.process.stdout.fileno(), 65536)
        self.text += data.decode()
        return bool(data)


def test_a_log_is_followed_until_its_task_ends(work: Work, gate: Gate) -> None:
    work.shell(f"echo first\n{gate.script()}\necho second\n{gate.script()}\necho third", ["a"])
    with work.start_run(*ONE) as run:
        gate.arrivals(1)
        follower = Follower(work, "a", "-f")
        follower.await_text("first\n")
        gate.open()
        gate.arrivals(1)
        # What is printed is shown while the task runs
        follower.await_text("second\n")
        assert follower.process.poll() is None
        gate.open()
        assert run.end() == 0, run.text
        assert follower.end() == 0
    assert follower.text == work.log("a") == "first\nsecond\nthird\nfinished a\n"


def test_a_log_is_followed_from_one_attempt_to_the_next(work: Work, gate: Gate) -> None:
    work.shell(
        f"echo start\n{gate.script()}\nif ! test -e once; then touch once; echo 'KeyError: no'; exit 1; fi\n"
        "echo again",
        ["a"],
        retry={"max_attempts": 2, "backoff": "1s"},
    )
    with work.start_run(*ONE) as run:
        gate.arrivals(1)
        follower = Follower(work, "a", "-f")
        follower.await_text("start\n")
        gate.open()
        follower.await_text("KeyError: no\n")
        gate.arrivals(1)
        gate.open()
        assert run.end() == 0, run.text
        assert follower.end() == 0
    assert follower.text == work.log("a.1") + work.log("a")
