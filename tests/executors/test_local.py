"""A keeper and its workers, started for real."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.executors.jobs import await_file, ended, is_gone, job, python, running_of, wait

from accsearch.checkpoint import heartbeat
from accsearch.checkpoint.heartbeat import Watch
from accsearch.checkpoint.markers import Running, read_exit, write_running
from accsearch.executors.executor import Ended, NoStorage, RunnerGone
from accsearch.executors.forkserver import ForkServer
from accsearch.executors.local import AdoptedRunner, KeptRunner, LocalExecutor
from accsearch.executors.messages import LEASE
from accsearch.executors.orphans import end_attempt
from accsearch.workdir import TaskPaths


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    made = tmp_path / "fifo"
    os.mkfifo(made)
    return made


@pytest.fixture
def executor() -> Iterator[LocalExecutor]:
    made = LocalExecutor()
    yield made
    made.close()


def at_work(server: ForkServer, paths: TaskPaths, fifo: Path, code: str) -> KeptRunner:
    """Return a runner whose worker has started: it has opened `fifo`, and goes on with `code`."""
    runner = KeptRunner(server, None)
    runner.start(job(paths, python(f"fifo = {str(fifo)!r}; open(fifo, 'w').close(); {code}")))
    await_file(fifo)
    return runner


def test_a_job_leaves_log_markers_and_report(runner: KeptRunner, paths: TaskPaths) -> None:
    runner.start(job(paths, python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)")))
    event = ended(runner)
    marker = read_exit(paths.exit)
    assert marker is not None
    assert (marker.exit_code, marker.signal, marker.nonce, marker.reason) == (7, None, "n1", None)
    assert event.exit.exit_code == 7
    assert sorted(paths.log.read_text().split()) == ["err", "out"]
    running = running_of(paths)
    assert running.task == "T"
    assert running.digest == "digest"
    assert running.batch_size == 4
    assert running.keeper_pid != running.pid
    assert running.identity is not None


def test_one_keeper_serves_one_job_after_another(runner: KeptRunner, paths: TaskPaths) -> None:
    runner.start(job(paths, ["true"]))
    ended(runner)
    first = running_of(paths)
    runner.start(job(paths, ["false"], attempt=2, nonce="n2"))
    assert ended(runner).exit.exit_code == 1
    second = running_of(paths)
    assert first.keeper_identity == second.keeper_identity
    assert second.attempt == 2


def test_the_log_of_an_earlier_attempt_is_kept(runner: KeptRunner, paths: TaskPaths) -> None:
    for attempt in (1, 2):
        runner.start(job(paths, ["echo", f"attempt {attempt}"], attempt=attempt))
        ended(runner)
    assert paths.log.read_text() == "attempt 2\n"
    assert paths.log_of(1, frozenset()).read_text() == "attempt 1\n"


def test_a_worker_has_its_own_session_and_only_its_streams(runner: KeptRunner, paths: TaskPaths) -> None:
    code = (
        "import os; print(os.getsid(0) == os.getpid(), os.read(0, 1),"
        "sorted(map(int, os.listdir('/proc/self/fd')))[:-1])"
    )
    runner.start(job(paths, python(code)))
    ended(runner)
    assert paths.log.read_text() == "True b'' [0, 1, 2]\n"


def test_a_program_that_is_not_there_is_a_configuration_fault(runner: KeptRunner, paths: TaskPaths) -> None:
    runner.start(job(paths, ["no-such-program-at-all"]))
    exit = ended(runner).exit
    assert exit.reason == "config"
    assert "no-such-program-at-all" in exit.message
    assert "cannot start" in paths.log.read_text()


def test_a_worker_killed_by_a_signal_is_reported_so(runner: KeptRunner, paths: TaskPaths) -> None:
    runner.start(job(paths, python("import os; os.kill(os.getpid(), 9)")))
    assert ended(runner).exit.signal == 9


def test_a_stubborn_setsid_grandchild_is_ended_too(
    runner: KeptRunner, paths: TaskPaths, tmp_path: Path
) -> None:
    grandchild = (
        "import os, signal, sys, time; signal.signal(15, signal.SIG_IGN); os.setsid();"
        "os.close(int(sys.argv[1])); time.sleep(600)"
    )
    code = (
        "import os, subprocess, sys\n"
        "ready, done = os.pipe()\n"
        f"child = subprocess.Popen([sys.executable, '-c', {grandchild!r}, str(done)], pass_fds=[done])\n"
        "os.close(done); os.read(ready, 1)\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid)); print('bye')"
    )
    runner.start(job(paths, python(code), grace=0.2))
    # The worker itself ends at once; the grandchild keeps its output open.
    assert ended(runner).exit.exit_code == 0
    assert not Path("/proc", (tmp_path / "pid").read_text()).exists()
    assert paths.log.read_text() == "bye\n"


def test_stop_ends_a_worker_that_ignores_sigterm(runner: KeptRunner, paths: TaskPaths, fifo: Path) -> None:
    code = (
        "import signal, time; signal.signal(15, signal.SIG_IGN);"
        f"open({str(fifo)!r}, 'w').close(); time.sleep(600)"
    )
    runner.start(job(paths, python(code), grace=0.2))
    await_file(fifo)
    runner.stop()
    exit = ended(runner).exit
    assert (exit.signal, exit.reason) == (9, "stopped")


@pytest.mark.parametrize(("limit", "reason"), [("timeout", "timeout"), ("stall_timeout", "hang")])
def test_the_watchdog_ends_a_silent_worker(
    runner: KeptRunner, paths: TaskPaths, limit: str, reason: str
) -> None:
    runner.start(job(paths, ["sleep", "600"], **{limit: 0.2}))
    assert ended(runner).exit.reason == reason


def test_a_growing_results_file_is_progress(runner: KeptRunner, paths: TaskPaths) -> None:
    code = (
        "import time\n"
        f"for _ in range(15): open({str(paths.results)!r}, 'a').write('x' * 10); time.sleep(0.1)\n"
    )
    runner.start(job(paths, python(code), stall_timeout=0.8))
    exit = ended(runner).exit
    assert (exit.exit_code, exit.reason) == (0, None)


def test_a_keeper_without_its_scheduler_finishes_and_ends(
    server: ForkServer, paths: TaskPaths, fifo: Path
) -> None:
    runner = at_work(server, paths, fifo, "open(fifo).read(); print('done')")
    keeper = running_of(paths).keeper_pid
    runner._socket.close()
    fifo.write_text("go")
    assert is_gone(keeper)
    runner.close()
    marker = read_exit(paths.exit)
    assert marker is not None
    assert marker.exit_code == 0
    assert paths.log.read_text() == "done\n"


def test_a_job_whose_scheduler_died_before_it_began_never_runs(
    server: ForkServer, paths: TaskPaths, tmp_path: Path
) -> None:
    runner = KeptRunner(server, None)
    assert runner._pidfd is not None
    signal.pidfd_send_signal(runner._pidfd, signal.SIGSTOP)
    runner.start(job(paths, ["touch", str(tmp_path / "ran")]))
    runner._socket.close()
    signal.pidfd_send_signal(runner._pidfd, signal.SIGCONT)
    runner.close()
    assert not (tmp_path / "ran").exists()
    assert not paths.running.exists()


def test_a_killed_keeper_is_noticed(server: ForkServer, paths: TaskPaths, fifo: Path) -> None:
    runner = at_work(server, paths, fifo, "import time; time.sleep(600)")
    running = running_of(paths)
    os.kill(running.keeper_pid, signal.SIGKILL)
    assert wait(runner) == [RunnerGone()]
    runner.close()
    assert not paths.exit.exists()
    assert end_attempt("n1") == []
    assert is_gone(running.pid)


def test_an_attempt_of_an_earlier_scheduler_is_adopted(
    server: ForkServer, executor: LocalExecutor, paths: TaskPaths, fifo: Path
) -> None:
    runner = at_work(server, paths, fifo, "open(fifo).read()")
    runner._socket.close()
    adopted = executor.adopt(running_of(paths), paths)
    assert isinstance(adopted, AdoptedRunner)
    fifo.write_text("go")
    first, second = wait(adopted)
    adopted.close()
    runner.close()
    assert isinstance(first, Ended)
    assert first.exit.exit_code == 0
    assert second == RunnerGone()


def test_an_adopted_attempt_can_be_stopped(
    server: ForkServer, executor: LocalExecutor, paths: TaskPaths, fifo: Path
) -> None:
    runner = at_work(server, paths, fifo, "import time; time.sleep(600)")
    runner._socket.close()
    adopted = executor.adopt(running_of(paths), paths)
    assert adopted is not None
    adopted.stop()
    event = wait(adopted)[0]
    adopted.close()
    runner.close()
    assert isinstance(event, Ended)
    assert event.exit.reason == "stopped"


def test_a_keeper_of_another_identity_is_not_adopted(
    executor: LocalExecutor, runner: KeptRunner, paths: TaskPaths
) -> None:
    runner.start(job(paths, ["true"]))
    ended(runner)
    running = json.loads(paths.running.read_text()) | {"keeper_identity": "another boot:1"}
    paths.exit.unlink()
    assert executor.adopt(Running(**running), paths) is None


def test_what_a_keeper_said_before_it_ended_is_taken_instead_of_it(
    server: ForkServer, executor: LocalExecutor, paths: TaskPaths
) -> None:
    runner = KeptRunner(server, None)
    runner.start(job(paths, ["true"]))
    ended(runner)
    runner.close()

    found = executor.adopt(running_of(paths), paths)

    assert isinstance(found, Ended)
    assert found.exit.exit_code == 0


@pytest.mark.parametrize("taken", ["replaced", "removed"])
def test_a_keeper_whose_task_was_taken_over_ends_its_worker_and_writes_nothing(
    server: ForkServer, paths: TaskPaths, fifo: Path, monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    monkeypatch.setattr(heartbeat, "BEAT", 0.05)
    runner = KeptRunner(server, None)
    code = (
        "import signal, time; signal.signal(15, signal.SIG_IGN);"
        f"open({str(fifo)!r}, 'w').close(); time.sleep(600)"
    )
    runner.start(job(paths, python(code), grace=600.0))
    await_file(fifo)
    running = running_of(paths)
    if taken == "replaced":
        write_running(paths.running, replace(running, nonce="n2", host="another"))
    else:
        paths.running.unlink()
    assert wait(runner) == [RunnerGone()]
    runner.close()
    assert is_gone(running.pid)
    assert not paths.exit.exists()
    assert not paths.running.exists() or running_of(paths).nonce == "n2"


def test_a_worker_that_ends_after_its_task_was_taken_over_does_not_count(
    server: ForkServer, paths: TaskPaths, fifo: Path
) -> None:
    runner = at_work(server, paths, fifo, "open(fifo).read()")
    write_running(paths.running, replace(running_of(paths), nonce="n2"))
    fifo.write_text("go")
    assert wait(runner) == [RunnerGone()]
    runner.close()
    assert not paths.exit.exists()


def test_a_keeper_gives_signs_of_life(
    runner: KeptRunner, paths: TaskPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "BEAT", 0.01)
    runner.start(job(paths, ["sleep", "600"]))
    watch, now = Watch(), 0.0
    while (
        not paths.running.exists()
        or not watch.is_alive(paths.running)
        or running_of(paths).beat == "0000000000"
    ):
        watch.look(paths.running, now)
        now += 1.0
    runner.stop()
    ended(runner)


def test_the_lease_is_held_by_keeper_and_worker(server: ForkServer, paths: TaskPaths, tmp_path: Path) -> None:
    lease = os.open(tmp_path / "lease", os.O_RDWR | os.O_CREAT)
    runner = KeptRunner(server, lease)
    os.close(lease)
    runner.start(job(paths, python(f"import os; print(os.readlink('/proc/self/fd/{LEASE}'))")))
    ended(runner)
    held = str(Path(f"/proc/{running_of(paths).keeper_pid}/fd/{LEASE}").readlink())
    runner.close()
    assert held == paths.log.read_text().strip() == str(tmp_path / "lease")


def test_a_keeper_that_cannot_record_runs_nothing(
    runner: KeptRunner, paths: TaskPaths, tmp_path: Path
) -> None:
    paths.running.parent.rmdir()
    runner.start(job(paths, ["touch", str(tmp_path / "ran")]))
    assert isinstance(wait(runner)[0], NoStorage)
    assert not (tmp_path / "ran").exists()


def test_a_killed_server_is_started_again_and_its_keepers_live_on(
    executor: LocalExecutor, paths: TaskPaths
) -> None:
    first = executor.open_runner(None)
    os.kill(executor._server._pid, signal.SIGKILL)

    second = executor.open_runner(None)

    for number, runner in enumerate((first, second), 1):
        runner.start(job(paths, ["echo", f"attempt {number}"], attempt=number, nonce=f"n{number}"))
        assert ended(runner).exit.exit_code == 0
        runner.close()
    assert paths.log.read_text() == "attempt 2\n"


def test_a_server_ends_with_its_scheduler() -> None:
    program = """
import os, signal
from accsearch.executors.forkserver import ForkServer
print(ForkServer()._pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert is_gone(int(ended.stdout))
