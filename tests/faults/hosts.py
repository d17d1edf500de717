"""Other hosts on the same work directory: namespaces with a host name and pids of their own, and quick hearts."""

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest
from tests.faults.program import Program, Work

QUICK = """
import sys
from accsearch.checkpoint import heartbeat
heartbeat.BEAT, heartbeat.SILENCE, heartbeat.LOOK = 0.2, 6.0, 0.2
from accsearch.cli.app import main
sys.argv[0] = "accsearch"
main()
"""
"""accsearch that gives signs of life often and waits for those of others not so long."""
NAMED = 'hostname "$0" && exec "$@"'
ALONE = 'hostname "$0" && "$@"; sleep 600'
"""The same, but the host outlives the program."""
UNSHARE = ("unshare", "--uts", "-fp", "--mount-proc", "--kill-child")


def can_unshare() -> bool:
    """Return whether this user may make hosts."""
    try:
        return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


needs_hosts = pytest.mark.skipif(not can_unshare(), reason="needs root, to make hosts of namespaces")


def on_host(work: Work, name: str, *words: str, lasting: bool = False) -> Program:
    """Start accsearch on a host; it ends with everything on it when it is killed."""
    line: Sequence[str] = [
        *UNSHARE,
        "sh",
        "-c",
        ALONE if lasting else NAMED,
        name,
        sys.executable,
        "-c",
        QUICK,
    ]
    return Program([*words, "--workdir", str(work.root)], work.env, work.folder, line)


def quick(work: Work, *words: str) -> Program:
    """Start accsearch on this host."""
    return Program(
        [*words, "--workdir", str(work.root)], work.env, work.folder, [sys.executable, "-c", QUICK]
    )


def killing_scheduler(work: Work) -> str:
    """Return the shell commands by which a worker kills its scheduler, whose pid is that of its own host."""
    lock = work.root / "checkpoints" / ".scheduler.lock"
    return f"kill -9 $(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/' {lock})"


def pids_elsewhere(work: Work) -> list[int]:
    """Return the pids here of the processes on other hosts that carry the test's mark."""
    found = []
    for entry in os.listdir("/proc"):  # noqa: PTH208
        if entry.isdecimal():
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:  # noqa: PTH123
                    marked = f"FAULT_TEST={work.folder}".encode() in file.read()
                with open(f"/proc/{entry}/status") as file:  # noqa: PTH123
                    nested = any(line.startswith("NSpid:") and len(line.split()) > 2 for line in file)
            except OSError:
                continue
            if marked and nested:
                found.append(int(entry))
    return found
