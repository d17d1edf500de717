"""Workers forked from a warm process by a real keeper; what they run is the test's code instead of a search."""

import os
import select
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.executors.jobs import ended, is_gone, job, running_of, wait
from tests.faults.forked import write_worker

from accsearch.executors.forkserver import ForkServer
from accsearch.executors.local import KeptRunner
from accsearch.executors.orphans import end_attempt
from accsearch.keeper.warm import WarmProcess
from accsearch.process_tree import descendants
from accsearch.workdir import TaskPaths

RUN_ARGUMENT = "def main(words): exec(words[0], {})"

SLEEPER = "import os, time; os.setsid(); time.sleep(600)"
CHILD = (
    f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]).pid, flush=True)"
)
THREADED = """
import os, threading, time
from pathlib import Path

pid = os.getpid()
ready = threading.Barrier(3)


def load():
    Path("/proc/thread-self/comm").write_text("loader")
    ready.wait()
    time.sleep(600)


for _ in range(2):
    threading.Thread(target=load, daemon=True).start()
ready.wait()
print("imported", flush=True)
"""


class Forked:
    """Gives a runner jobs whose worker runs code, forked from a process that has made `first.pid`."""

    def __init__(self, folder: Path, paths: TaskPaths, runner: KeptRunner) -> None:
        self._modules = write_worker(folder / "modules", RUN_ARGUMENT)
        self._paths, self._runner = paths, runner
        self._count = 0

    def module(self, name: str, code: str) -> None:
        (self._modules / f"{name}.py").write_text(code)

    def start(self, code: str, *imports: str, env: dict[str, str] | None = None, **changes: Any) -> str:
        """Start a worker that runs `code` and return its nonce."""
        self._count += 1
        nonce = f"{self._count:032}"
        command = [sys.executable, "-P", "-m", "accsearch.worker", code]
        environment = {"PYTHONPATH": str(self._modules), "ACCSEARCH_NONCE": nonce, **(env or {})}
        imports = imports or ("accsearch.worker.run",)
        self._runner.start(
            job(self._paths, command, nonce=nonce, env=environment, imports=imports, **changes)
        )
        return nonce

    def run(self, code: str, *imports: str, **changes: Any) -> str:
        """Run `code` in a worker to its end, which must be a good one; return its output."""
        self.start(code, *imports, **changes)
        exit = ended(self._runner).exit
        text = self._paths.log.read_text()
        assert exit.exit_code == 0, text
        return text


@pytest.fixture
def forked(tmp_path: Path, paths: TaskPaths, runner: KeptRunner) -> Forked:
    made = Forked(tmp_path, paths, runner)
    made.module("counted", "import os; print('imported', flush=True); pid = os.getpid()")
    return made


COUNTED = "import counted; print(counted.pid)"


def warm_process(paths: TaskPaths) -> int:
    """Return the process that the workers of the last job's keeper are forked from."""
    (pid,) = descendants(running_of(paths).keeper_pid)
    return pid


def test_workers_are_forked_from_one_process_as_if_each_was_started_anew(
    forked: Forked, paths: TaskPaths
) -> None:
    first = forked.run(COUNTED, "counted").split()
    code = (
        "import os, sys, counted; pid = os.getpid(); print(counted.pid)\n"
        "print(os.getsid(0) == pid, os.getppid(), os.read(0, 1), os.getcwd(), sys.argv[1][:6])\n"
        "print(sorted(map(int, os.listdir('/proc/self/fd')))[:-1], os.environ['ACCSEARCH_NONCE'][-1])\n"
        "print(open('/proc/self/environ').read().count('ACCSEARCH_NONCE=' + os.environ['ACCSEARCH_NONCE']))\n"
        "sys.stderr.write('and errors\\n'); sys.exit(0)"
    )
    second = forked.run(code, "counted").splitlines()
    running = running_of(paths)
    assert first[0] == "imported"
    assert first[1] == second[0] == str(warm_process(paths))
    cwd = str(paths.log.parent)
    assert second[1] == f"True {running.keeper_pid} b'' {cwd} import"
    assert second[2] == "[0, 1, 2] 2"
    assert second[3] == "1"
    assert second[4:] == ["and errors"]
    assert str(running.pid) not in (first[1], str(running.keeper_pid))


def test_what_becomes_of_a_worker_concerns_that_worker_alone(
    forked: Forked, runner: KeptRunner, paths: TaskPaths, tmp_path: Path
) -> None:
    forked.run(COUNTED, "counted")
    process = warm_process(paths)
    forked.start("import os; os.kill(os.getpid(), 9)")
    assert ended(runner).exit.signal == 9
    forked.start("import sys; sys.exit('error: no')")
    assert ended(runner).exit.exit_code == 1
    # A child that has left the session and keeps the output open ends with its worker
    pid = forked.run(CHILD, grace=0.2).split()[0]
    assert not Path("/proc", pid).exists()
    assert forked.run(COUNTED, "counted") == f"{process}\n"


def test_a_worker_with_another_environment_is_forked_from_another_process(
    forked: Forked, paths: TaskPaths
) -> None:
    forked.run(COUNTED, "counted")
    before = warm_process(paths)
    assert forked.run(COUNTED, "counted", env={"OMP_NUM_THREADS": "3"}).startswith("imported\n")
    assert is_gone(before)
    assert (
        forked.run("import os; print(os.environ['OMP_NUM_THREADS'])", env={"OMP_NUM_THREADS": "3"}) == "3\n"
    )


def test_a_killed_warm_process_is_made_anew_and_ends_with_its_keeper(
    forked: Forked, paths: TaskPaths
) -> None:
    forked.run(COUNTED, "counted")
    process = warm_process(paths)
    os.kill(process, signal.SIGKILL)
    assert is_gone(process)
    assert forked.run(COUNTED, "counted").startswith("imported\n")
    process = warm_process(paths)
    keeper = running_of(paths).keeper_pid
    os.kill(keeper, signal.SIGTERM)
    assert is_gone(keeper)
    assert not Path(f"/proc/{process}").exists()


def test_a_process_that_cannot_be_forked_does_the_task_itself(
    forked: Forked, runner: KeptRunner, paths: TaskPaths, tmp_path: Path
) -> None:
    forked.module("threaded", THREADED)
    code = (
        "import ctypes, os, sys, threaded; pid = os.getpid(); dies = ctypes.c_int(-1)\n"
        "ctypes.CDLL(None).prctl(PR_GET_PDEATHSIG := 2, ctypes.byref(dies))\n"
        "print(threaded.pid == pid == os.getsid(0), os.getppid(), os.getcwd(), dies.value)\n"
        "print(sorted(map(int, os.listdir('/proc/self/fd')))[:-1], os.environ['ACCSEARCH_NONCE'][-1], pid)\n"
        "print(open('/proc/self/environ').read().count('ACCSEARCH_NONCE=' + os.environ['ACCSEARCH_NONCE']))"
    )
    done = set()
    for count in "12":
        imported, note, first, second, nonces = forked.run(code, "threaded").splitlines()
        assert imported == "imported"
        assert note.startswith("accsearch: the next worker of this slot imports what it needs anew")
        assert note.endswith(": 2 more threads run in it (loader)")
        running = running_of(paths)
        assert first == f"True {running.keeper_pid} {paths.log.parent} 0"
        assert second == f"[0, 1, 2] {count} {running.pid}"
        assert nonces == "1"
        assert descendants(running.keeper_pid) == []
        done.add(running.pid)
    assert len(done) == 2
    # And it ends as any worker does, with what it leaves behind
    forked.start(f"{CHILD}\nimport os; os.kill(os.getpid(), 9)", "threaded", grace=0.2)
    assert ended(runner).exit.signal == 9
    assert not Path("/proc", paths.log.read_text().split()[-1]).exists()
    forked.start("import time; time.sleep(600)", "threaded", timeout=1)
    late = ended(runner).exit
    assert (late.signal, late.reason) == (15, "timeout")
    # Or without its keeper
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    nonce = forked.start(f"open({str(fifo)!r}, 'w').close(); import time; time.sleep(600)", "threaded")
    fifo.read_bytes()
    running = running_of(paths)
    os.kill(running.keeper_pid, signal.SIGKILL)
    wait(runner)
    assert end_attempt(nonce) == []
    assert is_gone(running.pid)


def test_the_thread_that_nvml_leaves_keeps_no_process_from_being_forked(forked: Forked) -> None:
    forked.module("threaded", THREADED.replace("loader", "cuda00001800007"))
    code = "import os, threaded; print(threaded.pid == os.getpid(), len(os.listdir('/proc/self/task')))"
    assert forked.run(code, "threaded").splitlines() == ["imported", "False 1"]


def test_a_process_in_which_cuda_was_started_does_the_task_itself(forked: Forked) -> None:
    forked.module(
        "torch",
        "import os; pid = os.getpid()\n"
        "class cuda: is_initialized = staticmethod(lambda: True); _is_in_bad_fork = staticmethod(lambda: False)",
    )
    note, output = forked.run("import os, torch; print(torch.pid == os.getpid())", "torch").splitlines()
    assert note.endswith(": CUDA was started in it")
    assert output == "True"


def test_a_process_that_is_interrupted_after_its_answer_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = write_worker(tmp_path / "modules", RUN_ARGUMENT)
    (modules / "threaded.py").write_text(THREADED)
    monkeypatch.chdir(tmp_path)
    argv = [sys.executable, "-P", "-m", "accsearch.worker", "open('begun', 'w')"]
    env = {**os.environ, "PYTHONPATH": str(modules), "ACCSEARCH_NONCE": "1"}
    warm = WarmProcess()
    with (tmp_path / "log").open("w") as log:
        assert warm.ask({"imports": ["threaded"], "argv": argv, "cwd": str(tmp_path)}, env, log.fileno())
    assert select.select([warm], [], [], 60)[0]
    warm.interrupt()
    worker = warm.take()
    assert worker is not None
    warm.release()
    assert worker.reap() == -signal.SIGKILL
    assert not (tmp_path / "begun").exists()
    assert warm.pid is None


def test_where_the_imports_fail_the_worker_is_started_as_a_program(forked: Forked) -> None:
    text = forked.run("print('measured')", "no_such_module")
    assert "ModuleNotFoundError: No module named 'no_such_module'" in text
    assert text.endswith("it has ended\nmeasured\n")


def test_a_job_is_stopped_while_its_imports_run(
    forked: Forked, runner: KeptRunner, paths: TaskPaths, tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    forked.module("slow", f"import time; open({str(fifo)!r}, 'w').close(); time.sleep(600)")
    forked.start("print('never')", "slow")
    fifo.read_bytes()
    runner.stop()
    exit = ended(runner).exit
    assert (exit.signal, exit.reason) == (15, "stopped")
    assert paths.log.read_text() == ""
    assert forked.run("print('the next one')") == "the next one\n"


def test_all_of_a_killed_keeper_is_found_by_the_nonce(
    server: ForkServer, forked: Forked, runner: KeptRunner, paths: TaskPaths, tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    nonce = forked.start(
        f"import os, time; os.fork(); os.fork() or open({str(fifo)!r}, 'w').close(); time.sleep(600)"
    )
    fifo.read_bytes()
    running = running_of(paths)
    below = descendants(running.keeper_pid)
    os.kill(running.keeper_pid, signal.SIGKILL)
    wait(runner)
    assert end_attempt(nonce) == []
    assert len(below) >= 4
    assert all(is_gone(pid) for pid in below)
