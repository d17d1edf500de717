"""Several hosts on one work directory: what a dead one had is taken over, what a living one has is not."""

import json
import os
import signal

import pytest
from tests.faults.eventually import eventually
from tests.faults.hosts import killing_scheduler, needs_hosts, on_host, pids_elsewhere, quick
from tests.faults.program import Gate, Work, await_end, is_alive
from tests.faults.test_takeover import killed

ONE = ("--gpus", "none", "--slots", "1")
RUN = ("run", "c.yaml", *ONE)


@needs_hosts
def test_a_host_that_replaces_a_dead_one_finishes_its_grid(work: Work, gate: Gate) -> None:
    work.shell(gate.script(), ["a", "b"])
    with on_host(work, "pod-a", *RUN):
        assert "a" in gate.arrivals(1)
    with on_host(work, "pod-b", *RUN) as run:
        gate.arrivals(1)
        gate.open(2)
        assert run.end(120) == 0, run.text
    assert "no sign of life from host pod-a" in run.text
    first, second = work.marker("a.done"), work.marker("b.done")
    assert (first["attempt"], first["host"]) == (2, "pod-b")
    assert (second["attempt"], second["host"]) == (1, "pod-b")


@needs_hosts
def test_a_container_that_is_started_anew_under_its_name_finishes_its_grid(work: Work, gate: Gate) -> None:
    work.shell(gate.script(), ["a"])
    for _ in range(2):
        with on_host(work, "same-name", *RUN) as run:
            gate.arrivals(1)
            run.process.kill()
    with on_host(work, "same-name", *RUN) as run:
        gate.arrivals(1)
        gate.open()
        assert run.end(120) == 0, run.text
    assert work.marker("a.done")["attempt"] == 3


@needs_hosts
def test_a_second_run_is_refused_with_the_host_of_the_first(work: Work, gate: Gate) -> None:
    work.shell(gate.script(), ["a"])
    with on_host(work, "pod-a", *RUN) as first:
        gate.arrivals(1)
        for refused in (on_host(work, "pod-b", *RUN), quick(work, *RUN), quick(work, "stop")):
            with refused:
                assert refused.end() == 2
            assert "on host pod-a" in refused.text
        gate.open()
        assert first.end() == 0, first.text
    assert work.marker("a.done")["attempt"] == 1


@needs_hosts
def test_an_attempt_that_lives_on_another_host_is_awaited(work: Work, gate: Gate) -> None:
    # Given a host whose scheduler has died, but not the keeper of task a
    work.shell(f"test $T = b || {killing_scheduler(work)}; {gate.script()}", ["a", "b"])
    with on_host(work, "pod-a", *RUN, lasting=True):
        assert gate.arrivals(1).keys() == {"a"}
        # When a run on another host has done all else, and was refused when it asked to free it
        with quick(work, *RUN) as run:
            run.await_line("c/a: runs on host pod-a")
            assert gate.arrivals(1).keys() == {"b"}
            with quick(work, "stop", "--host", "pod-a") as stop:
                assert stop.end() == 2
            assert "pod-a lives" in stop.text
            assert work.states() == {"a": "running", "b": "running"}
            # Then that of the other host counts
            gate.open(2)
            assert run.end() == 0, run.text
    done = work.marker("a.done")
    assert (done["attempt"], done["host"]) == (1, "pod-a")
    assert work.log("a") == "finished a\n"


@needs_hosts
def test_what_a_host_that_was_taken_for_dead_does_later_does_not_count(work: Work, gate: Gate) -> None:
    # Given a host that stands still
    work.shell(f"test -e taken || {killing_scheduler(work)}; {gate.script()}", ["a"])
    with on_host(work, "pod-a", *RUN, lasting=True):
        gate.arrivals(1)
        nonce = work.marker("a.running")["nonce"]
        (work.folder / "taken").touch()
        elsewhere = pids_elsewhere(work)
        assert len(elsewhere) >= 2
        for pid in elsewhere:
            os.kill(pid, signal.SIGSTOP)
        # When its task was taken over, and it comes back while the new attempt runs
        with quick(work, *RUN) as run:
            run.await_line("no sign of life from host pod-a")
            gate.arrivals(1)
            keepers = [pid for pid in elsewhere if is_alive(pid)]
            for pid in keepers:
                os.kill(pid, signal.SIGCONT)
            # Then its worker and keeper end, and the task is the new attempt's
            running = work.marker("a.running")
            eventually(lambda: sum(is_alive(pid) for pid in keepers) <= 2, "its worker and keeper have ended")
            assert work.marker("a.running")["nonce"] == running["nonce"] != nonce
            assert not (work.root / "checkpoints" / "c" / "a.exit").exists()
            gate.open()
            assert run.end() == 0, run.text
    assert work.marker("a.exit")["nonce"] == work.marker("a.done")["nonce"] == running["nonce"]
    assert work.marker("a.done")["attempt"] == 2


@pytest.fixture
def gone(work: Work, gate: Gate) -> Work:
    """A work directory in which task a is recorded as at work on the host `gone`, which shows no sign of life."""
    work.shell(gate.script(), ["a"])
    worker = killed(work, gate, with_keeper=True)
    os.kill(worker, signal.SIGKILL)
    await_end(worker)
    running = work.root / "checkpoints" / "c" / "a.running"
    running.write_text(json.dumps(json.loads(running.read_text()) | {"host": "gone"}))
    lock = work.root / "checkpoints" / ".scheduler.lock"
    lock.write_text(json.dumps(json.loads(lock.read_text()) | {"host": "gone"}))
    return work


def test_a_dead_host_is_named_and_can_be_freed_by_name(gone: Work, gate: Gate) -> None:
    findings = [each for each in gone.json("doctor", "--json") if each["subject"] == "hosts"]
    assert [each["level"] for each in findings] == ["note"]
    assert "c/a" in findings[0]["text"] and "accsearch stop --host gone" in findings[0]["text"]
    assert gone.status()["tasks"][0]["message"].startswith("runs on host gone")
    with gone.start("stop") as stop:
        assert stop.end() == 2
    assert "accsearch stop --host gone" in stop.text
    with gone.start("stop", "--host", "another") as stop:
        assert stop.end() == 2
    assert "another host another" in stop.text and "recorded are gone" in stop.text

    with quick(gone, "stop", "--host", "gone") as stop:
        assert stop.end() == 0, stop.text

    assert "freed from host gone: c/a" in stop.text
    assert gone.states() == {"a": "pending"}
    gate.open()
    run = gone.run(*ONE)
    assert run.process.returncode == 0, run.text
    assert gone.marker("a.done")["attempt"] == 2
    assert not [each for each in gone.json("doctor", "--json") if each["subject"] == "hosts"]


def test_what_is_freed_while_a_run_watches_it_runs_at_once(gone: Work, gate: Gate) -> None:
    (gone.root / "checkpoints" / ".scheduler.lock").unlink()
    with gone.start_run(*ONE) as run:
        run.await_line("left alone")
        with gone.start("stop", "--host", "gone", "--now") as stop:
            assert stop.end() == 0, stop.text
        run.await_line("freed from host gone")
        gate.open()
        assert run.end() == 0, run.text
    assert gone.marker("a.done")["attempt"] == 2


def test_a_run_that_only_watches_another_host_can_be_interrupted(gone: Work) -> None:
    (gone.root / "checkpoints" / ".scheduler.lock").unlink()
    with gone.start_run(*ONE) as run:
        run.await_line("left alone")
        run.process.send_signal(signal.SIGINT)
        assert run.end() == 130, run.text
    assert gone.states() == {"a": "running"}


def test_a_run_whose_lock_was_taken_leaves_its_tasks_to_their_keepers(work: Work, gate: Gate) -> None:
    work.shell(gate.script(), ["a", "b"])
    lock = work.root / "checkpoints" / ".scheduler.lock"
    with quick(work, *RUN) as run:
        gate.arrivals(1)
        lock.write_text(json.dumps(json.loads(lock.read_text()) | {"host": "other", "token": "another's"}))
        assert run.end() == 1
    assert "on host other" in run.text and "taken for dead" in run.text
    assert "another's" in lock.read_text()
    keeper = work.marker("a.running")["keeper_pid"]
    gate.open()
    await_end(keeper)
    assert work.marker("a.exit")["exit_code"] == 0
    assert work.markers("done") == []
    lock.unlink()
    gate.open()
    assert work.run(*ONE).process.returncode == 0
    assert work.marker("a.done")["attempt"] == 1
