"""What happens to processes: the scheduler's, the keepers', the workers' and their children."""

import contextlib
import os
import signal
from pathlib import Path

import pytest
from tests.faults.program import Gate, Work, await_end, is_alive, processes_of

CPU = ("--gpus", "none", "--slots", "2")
ONE = ("--gpus", "none", "--slots", "1")


def test_children_that_survive_a_worker_are_ended_before_the_next_task(work: Work) -> None:
    # Given a worker that leaves a child, a grandchild in its own session, and one that ignores SIGTERM
    work.shell(
        'for pid in $(cat pids 2>/dev/null); do ! kill -0 "$pid"; done\n'
        "sleep 600 & echo $! >> pids\n"
        "setsid sleep 600 & echo $! >> pids\n"
        "setsid sh -c 'trap \"\" TERM; echo $$ >> pids; echo > ready; sleep 600; sleep 600' &\n"
        "until test -e ready; do sleep 0.01; done; rm ready",
        ["a", "b"],
    )
    # When both tasks run one after the other (the second fails if it sees one of the first's)
    run = work.run(*ONE)
    # Then both are done and nothing is left
    assert run.process.returncode == 0, run.text
    assert not [pid for pid in (work.folder / "pids").read_text().split() if is_alive(int(pid))]
    assert processes_of(work.folder) == []


def test_workers_of_a_killed_scheduler_are_adopted(work: Work, gate: Gate) -> None:
    # Given a scheduler killed while two workers run
    work.shell(f"echo start $T >> {work.folder}/history; {gate.script()}", ["a", "b", "c"])
    with work.start_run(*CPU) as first:
        pids = gate.arrivals(2)
        first.process.kill()
        first.process.wait()
    assert all(is_alive(pid) for pid in pids.values())
    # When another run takes over, one of them ends meanwhile, one after
    with work.start_run(*CPU) as second:
        second.await_line("adopted")
        gate.open(2)
        gate.arrivals(1)
        gate.open()
        # Then all is done and nothing ran twice
        assert second.end() == 0, second.text
    assert work.states() == {"a": "done", "b": "done", "c": "done"}
    assert sorted((work.folder / "history").read_text().split("\n")) == ["", "start a", "start b", "start c"]
    assert work.marker("a.done")["attempt"] == 1


def test_a_task_that_finished_without_a_scheduler_is_not_lost(work: Work, gate: Gate) -> None:
    work.shell(f"echo start $T >> {work.folder}/history; {gate.script()}", ["a"])
    with work.start_run(*ONE) as first:
        gate.arrivals(1)
        keeper = work.marker("a.running")["keeper_pid"]
        first.process.kill()
        first.process.wait()
    gate.open()
    await_end(keeper)
    assert work.markers("exit") == ["a"]
    run = work.run(*ONE)
    assert run.process.returncode == 0, run.text
    assert (work.folder / "history").read_text() == "start a\n"
    assert work.marker("a.done")["attempt"] == 1


def test_a_worker_without_keeper_and_scheduler_is_ended_and_run_again(work: Work, gate: Gate) -> None:
    # Given scheduler and keeper killed, and a grandchild of the worker that survives both
    work.shell(f"setsid sleep 600 & echo $! > {work.folder}/pid; {gate.script()}", ["a"])
    with work.start_run(*ONE) as first:
        worker = gate.arrivals(1)["a"]
        first.process.kill()
        first.process.wait()
    keeper = work.marker("a.running")["keeper_pid"]
    os.kill(keeper, signal.SIGKILL)
    await_end(keeper)
    orphan = int((work.folder / "pid").read_text())
    assert is_alive(orphan)
    # When run again
    with work.start_run(*ONE) as second:
        gate.arrivals(1)
        # Then worker and grandchild have ended before the second attempt began
        assert not is_alive(worker)
        assert not is_alive(orphan)
        gate.open()
        assert second.end() == 0, second.text
    assert work.marker("a.done")["attempt"] == 2


@pytest.mark.parametrize("victim", ["keeper_pid", "pid"])
def test_a_killed_keeper_costs_no_retry_but_a_killed_worker_does(work: Work, gate: Gate, victim: str) -> None:
    work.shell(gate.script(), ["a"], retry={"max_attempts": 1, "backoff": "0s"})
    with work.start_run(*ONE) as run:
        worker = gate.arrivals(1)["a"]
        # The marker may still be in the keeper's name.
        os.kill(worker if victim == "pid" else work.marker("a.running")[victim], signal.SIGKILL)
        if victim == "keeper_pid":
            gate.arrivals(1)
            gate.open()
            assert run.end() == 0, run.text
            assert work.marker("a.done")["attempt"] == 2
        else:
            assert run.end() == 1
            failed = work.marker("a.failed")
            assert (failed["reason"], failed["signal"]) == ("killed", 9)
            gate.open()
            with work.start("retry", "--failed") as again:
                assert again.end() == 0, again.text
            assert work.states() == {"a": "done"}


def test_interrupted_once_it_drains(work: Work, gate: Gate) -> None:
    work.shell(gate.script(), ["a", "b", "c"])
    with work.start_run(*CPU) as run:
        gate.arrivals(2)
        run.process.send_signal(signal.SIGINT)
        run.await_line("no new tasks")
        gate.open(2)
        assert run.end() == 130
    assert sorted(work.states().values()) == ["done", "done", "pending"]


def test_interrupted_twice_it_ends_the_workers(work: Work, gate: Gate) -> None:
    work.shell(gate.script(), ["a", "b"])
    with work.start_run(*CPU) as run:
        pids = gate.arrivals(2)
        run.process.send_signal(signal.SIGINT)
        run.await_line("no new tasks")
        run.process.send_signal(signal.SIGINT)
        assert run.end() == 130
    assert work.states() == {"a": "pending", "b": "pending"}
    assert not any(is_alive(pid) for pid in pids.values())
    assert work.markers("running") == work.markers("failed") == []


def test_terminated_it_gives_the_tasks_back(work: Work, gate: Gate) -> None:
    work.shell(gate.script(), ["a", "b"], retry={"max_attempts": 1, "backoff": "0s"})
    with work.start_run(*ONE) as run:
        gate.arrivals(1)
        run.process.terminate()
        assert run.end() == 143
    assert work.states() == {"a": "pending", "b": "pending"}
    # The attempt that was cut short costs nothing.
    gate.open(2)
    assert work.run(*ONE).process.returncode == 0


def test_preempted_with_all_its_processes_it_gives_the_tasks_back(work: Work, gate: Gate) -> None:
    """A cluster's preemption sends SIGTERM to every process of the job at once."""
    work.shell(gate.script(), ["a"], retry={"max_attempts": 1, "backoff": "0s"})
    with work.start_run(*ONE) as run:
        worker = gate.arrivals(1)["a"]
        for pid in (run.pid, work.marker("a.running")["keeper_pid"], worker):
            with contextlib.suppress(ProcessLookupError):  # ended by one of the others by now
                os.kill(pid, signal.SIGTERM)
        assert run.end() == 143
    assert work.states() == {"a": "pending"}


def test_a_dropped_terminal_ends_nothing(work: Work, gate: Gate) -> None:
    work.shell(gate.script(), ["a", "b"])
    # Under nohup the tests themselves ignore the signal, and a program inherits that.
    inherited = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    run = work.start_run(*ONE)
    signal.signal(signal.SIGHUP, inherited)
    with run:
        gate.arrivals(1)
        assert run.process.stdout is not None
        assert run.process.stderr is not None
        run.process.stdout.close()
        run.process.stderr.close()
        run.process.send_signal(signal.SIGHUP)
        gate.open()
        gate.arrivals(1)
        gate.open()
        assert run.process.wait(60) == 0
    assert work.states() == {"a": "done", "b": "done"}


def test_sigterm_ignored_by_a_worker_is_followed_by_sigkill(work: Work, gate: Gate) -> None:
    work.shell(f'trap "" TERM INT; {gate.script()}', ["a"])
    with work.start_run(*ONE) as run:
        worker = gate.arrivals(1)["a"]
        run.process.terminate()
        assert run.end() == 143
    assert not is_alive(worker)


def test_a_second_run_is_refused_with_the_pid_of_the_first(work: Work, gate: Gate) -> None:
    work.shell(gate.script(), ["a"])
    with work.start_run(*ONE) as first:
        gate.arrivals(1)
        second = work.run(*ONE)
        assert second.process.returncode == 2
        assert f"pid {first.pid}" in second.text
        assert len(second.lines) == 1
        gate.open()
        assert first.end() == 0


@pytest.mark.parametrize("options", [(), ("--now",)])
def test_stop_drains_from_another_terminal(work: Work, gate: Gate, options: tuple[str, ...]) -> None:
    work.shell(gate.script(), ["a", "b"])
    with work.start_run(*ONE) as run:
        gate.arrivals(1)
        with work.start("stop", *options) as stop:
            assert stop.end() == 0
        if not options:
            run.await_line("no new tasks")
            gate.open()
        assert run.end() == 130
    assert work.states() == {"a": "pending" if options else "done", "b": "pending"}


def test_stop_without_a_run_says_so(work: Work) -> None:
    with work.start("stop") as stop:
        assert stop.end() == 2
        assert "no run" in stop.text


def test_nothing_is_left_of_a_run(work: Work) -> None:
    work.shell("true", ["a", "b"])
    assert work.run(*CPU).process.returncode == 0
    left = [path for path in work.root.rglob("*") if path.is_file()]
    kinds = {path.suffix for path in left}
    assert kinds <= {".done", ".exit", ".log", ".json"}, left
    assert not list(work.root.glob("checkpoints/.*"))
    assert processes_of(work.folder) == []


def test_files_that_may_hold_secrets_are_the_users_alone(work: Work) -> None:
    work.shell("echo token is $MY_API_TOKEN", ["a"])
    assert work.run(*ONE, MY_API_TOKEN="very-secret-value").process.returncode == 0
    for path in work.root.rglob("*"):
        if path.is_file():
            assert b"very-secret-value" not in path.read_bytes(), path
            assert path.stat().st_mode & 0o077 == 0, path
    assert "token is [redacted]" in work.log("a")


def test_each_worker_gets_its_share_of_the_cores_and_no_gpu(work: Work) -> None:
    work.shell('echo "threads=$OMP_NUM_THREADS gpus=[$CUDA_VISIBLE_DEVICES] $PYTHONUNBUFFERED"', ["a"])
    assert work.run(*CPU).process.returncode == 0
    cores = len(os.sched_getaffinity(0))
    assert f"threads={max(1, cores // 2)} gpus=[] 1" in work.log("a")


def test_threads_that_the_configuration_sets_hold_for_mkl_too(work: Work) -> None:
    work.shell('echo "threads=$OMP_NUM_THREADS $MKL_NUM_THREADS"', ["a"])
    assert work.run(*ONE, "-o", "worker.env.OMP_NUM_THREADS=7").process.returncode == 0
    assert "threads=7 7" in work.log("a")


def test_a_worker_starts_in_the_folder_of_the_run(work: Work) -> None:
    work.shell("pwd", ["a"])
    assert work.run(*ONE).process.returncode == 0
    assert Path(work.log("a").split()[0]).samefile(work.folder)
