"""What a later run makes of what an earlier one left, where the easy reading of the files is wrong."""

import os
import signal

from tests.faults.program import Gate, Work, await_end, is_alive

ONE = ("--gpus", "none", "--slots", "1")


def killed(work: Work, gate: Gate, *, with_keeper: bool) -> int:
    """Leave task `a` as a killed scheduler does, or one killed with its keeper; return the worker's pid."""
    with work.start_run(*ONE) as first:
        worker = gate.arrivals(1)["a"]
        first.process.kill()
        first.process.wait()
    if with_keeper:
        keeper = work.marker("a.running")["keeper_pid"]
        os.kill(keeper, signal.SIGKILL)
        await_end(keeper)
    return worker


def test_an_attempt_preempted_while_no_scheduler_watched_uses_up_no_retry(work: Work, gate: Gate) -> None:
    work.shell(gate.script(), ["a"], retry={"max_attempts": 1, "backoff": "0s"})
    killed(work, gate, with_keeper=False)
    keeper = work.marker("a.running")["keeper_pid"]
    os.kill(keeper, signal.SIGTERM)
    await_end(keeper)
    assert work.marker("a.exit")["reason"] == "stopped"
    gate.open()

    run = work.run(*ONE)

    assert run.process.returncode == 0, run.text
    assert work.marker("a.done")["attempt"] == 2


def test_a_worker_that_dropped_its_environment_is_ended_with_its_dead_keeper(work: Work, gate: Gate) -> None:
    # Given a worker that no nonce in its environment gives away
    work.shell(f'test -n "$CLEAN" || exec env -i CLEAN=1 PATH="$PATH" sh $0 $T; {gate.script()}', ["a"])
    worker = killed(work, gate, with_keeper=True)
    assert is_alive(worker)
    # When run again, in the same run's terms or in a later one's
    with work.start_run(*ONE) as run:
        second = gate.arrivals(1)["a"]
        # Then it has ended before the task ran again
        assert not is_alive(worker)
        os.kill(work.marker("a.running")["keeper_pid"], signal.SIGKILL)
        gate.arrivals(1)
        assert not is_alive(second)
        gate.open()
        assert run.end() == 0, run.text
    assert work.marker("a.done")["attempt"] == 3


def test_an_adopted_attempt_of_an_earlier_configuration_does_not_count(work: Work, gate: Gate) -> None:
    work.shell(gate.script(), ["a"], worker={"env": {"WHICH": "old"}})
    killed(work, gate, with_keeper=False)
    work.shell(gate.script(), ["a"], worker={"env": {"WHICH": "new"}})

    with work.start_run(*ONE) as run:
        run.await_line("adopted")
        gate.open()
        gate.arrivals(1)
        gate.open()
        assert run.end() == 0, run.text

    assert work.marker("a.done")["attempt"] == 2
    assert work.run("--dry-run").process.returncode == 0
    assert work.json("plan", "c.yaml", "--json")["tasks"][0]["action"] == "skip"


def test_logs_of_tasks_with_dots_in_their_names_do_not_get_in_each_others_way(work: Work) -> None:
    # Given tasks of which one's name is what the other's first log would be called
    work.shell('test "$T" != 7 || test -e second || { echo > second; exit 1; }', ["7", "7.1"])

    run = work.run(*ONE)

    assert run.process.returncode == 0, run.text
    assert work.marker("7.done")["attempt"] == 2
    assert work.log("7.1") == "finished 7.1\n"
    assert work.log("7") == "finished 7\n"
    assert [row["action"] for row in work.json("plan", "c.yaml", "--json")["tasks"]] == ["skip", "skip"]
    with work.start("logs", "7", "--attempt", "1") as logs:
        assert logs.end() == 0, logs.text


def test_a_secret_of_the_configuration_stays_in_its_plan(work: Work) -> None:
    work.configure(
        [
            "sh",
            "-c",
            "echo key $API_KEY option $1 $2; echo finished {n}",
            "sh",
            "--auth-token",
            "option-secret",
        ],
        {"n": ["a"]},
        worker={"env": {"API_KEY": "short-secret"}},
    )

    assert work.run(*ONE).process.returncode == 0

    assert work.log("a").startswith("key [redacted] option --auth-token [redacted]")
    for path in work.root.rglob("*"):
        if path.is_file() and path.name != "plan.json":
            assert not {b"short-secret", b"option-secret"} & set(path.read_bytes().split(b'"')), path
            assert b"-secret" not in path.read_bytes(), path


def test_a_plan_of_another_version_is_one_line(work: Work) -> None:
    work.shell("true", ["a"])
    assert work.run(*ONE).process.returncode == 0
    (work.root / "checkpoints" / "c" / "plan.json").write_text('{"schema": 1}')

    with work.start("status") as status:
        assert status.end() == 2
    assert len(status.lines) == 1
    assert "run the configuration again" in status.text
    assert work.run(*ONE).process.returncode == 0
