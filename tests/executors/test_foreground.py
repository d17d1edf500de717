"""What becomes of a worker in the foreground when its command is ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

LONG = 120.0


def test_sigterm_reaches_the_worker_and_its_time_to_tidy_up_is_waited_for(tmp_path: Path) -> None:
    worker = (
        "import signal, sys, time\n"
        "from pathlib import Path\n"
        "def tidy(*_):\n"
        "    time.sleep(0.3)\n"
        "    Path('tidied').touch()\n"
        "    sys.exit(7)\n"
        "signal.signal(signal.SIGTERM, tidy)\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n"
    )
    command = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
        "from accsearch.executors.foreground import run_in_foreground\n"
        f"run_in_foreground([sys.executable, '-c', {worker!r}], env=os.environ, leases=(), say=print)\n"
    )
    ended = subprocess.Popen([sys.executable, "-c", command], cwd=tmp_path, stdout=subprocess.PIPE)
    with ended:
        assert ended.stdout is not None
        assert ended.stdout.readline() == b"ready\n"
        ended.terminate()
        assert ended.wait(LONG) == 143

    assert (tmp_path / "tidied").exists()


def test_a_terminated_evaluation_leaves_no_process_and_no_sandbox(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("import time\ntime.sleep(600)\n")
    command = [sys.executable, "-m", "accsearch", "evaluate", "x.py", "--allow-exec", "--device", "cpu"]
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=tmp_path, env=env, start_new_session=True) as evaluation:
        deadline = time.monotonic() + LONG
        while not list(tmp_path.glob("accsearch-sandbox-*")):
            assert evaluation.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        evaluation.send_signal(signal.SIGTERM)
        assert evaluation.wait(LONG) == 143
        left = _session(evaluation.pid)

    assert not left
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.py"]


def _session(leader: int) -> list[int]:
    """Return the processes of a session that are still there."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    found = []
    for pid in pids:
        try:
            if os.getsid(pid) == leader and pid != leader:
                found.append(pid)
        except ProcessLookupError:
            continue
    return found
