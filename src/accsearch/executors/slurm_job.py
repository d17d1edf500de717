"""What passes between the scheduler and a job of Slurm: commands, the script, and files in a folder a submission.

Slurm's commands are run as they are; nothing of its accounting is used, which many clusters do not have.
"""

import contextlib
import math
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from accsearch.config.schema import ClusterConfig

WARNING = 30
"""Seconds before the time limit at which a job is asked to end; Slurm may do so up to a minute earlier."""
COMMAND_PATIENCE = 60.0
"""Seconds that a command of Slurm may take."""
OVER = frozenset(
    {
        "BOOT_FAIL",
        "CANCELLED",
        "COMPLETED",
        "DEADLINE",
        "FAILED",
        "NODE_FAIL",
        "OUT_OF_MEMORY",
        "PREEMPTED",
        "REVOKED",
        "TIMEOUT",
    }
)
"""States in which nothing of a job runs any more, as far as Slurm knows."""
UNSEEN = frozenset({"NODE_FAIL", "BOOT_FAIL"})
"""Of these, those of a node that Slurm has lost sight of, where the job may go on."""
HELD = "JobHeldUser"
_FIELDS = "%F_%K|%T|%r|%N"


class SlurmError(Exception):
    """A command of Slurm has failed; the message is its own."""


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """What Slurm says of a job: its state, why it waits, and its node."""

    state: str
    reason: str
    node: str

    @property
    def is_over(self) -> bool:
        return self.state in OVER


def claim_of(file: Path, nonce: str) -> Path:
    """Return which file the first start of a job makes; `file` is what the job reads."""
    return file.with_suffix(f".{nonce}.claim")


def returned_of(file: Path, nonce: str) -> Path:
    """Return where a job says why it could not run its task."""
    return file.with_suffix(f".{nonce}.returned")


def output_of(file: Path) -> Path:
    """Return where Slurm writes what a job prints before and beside its worker."""
    return file.with_suffix(".out")


def clear(file: Path) -> None:
    """Remove the files of a job, as far as that is possible; a start that comes after this finds nothing to run."""
    with contextlib.suppress(OSError):
        for each in file.parent.glob(f"{file.stem}.*"):
            each.unlink(missing_ok=True)
        file.parent.rmdir()  # unless others of its array are not over


def options(cluster: ClusterConfig, name: str, jobs: Path, *, on_gpus: bool) -> list[str]:
    """Return the options of `sbatch` that do not depend on the tasks."""
    wanted = {
        "partition": cluster.partition,
        "account": cluster.account,
        "constraint": cluster.constraint,
        "time": None if cluster.time is None else f"{math.ceil(cluster.time / 60)}",
        "mem": None if cluster.memory is None else f"{math.ceil(cluster.memory / (1 << 20))}M",
        "gres": cluster.gres or ("gpu:1" if on_gpus else None),
    }
    return [
        f"--job-name={name}",
        f"--output={jobs}/%A/%a.out",
        f"--cpus-per-task={cluster.cpus_per_task}",
        f"--signal=B:TERM@{WARNING}",
        "--ntasks=1",
        "--export=ALL",
        # A task whose job has ended without a word is submitted anew, as another attempt.
        "--no-requeue",
        *(f"--{key}={value}" for key, value in wanted.items() if value is not None),
    ]


def script(setup: Sequence[str], jobs: Path) -> str:
    """Return the script of a job: its set-up, then the keeper in its place, which gets the job's signals."""
    file = f"{shlex.quote(str(jobs))}/$SLURM_ARRAY_JOB_ID/$SLURM_ARRAY_TASK_ID.json"
    start = f"exec {shlex.quote(sys.executable)} -P -m accsearch.keeper.job {file}"
    return "\n".join(("#!/bin/bash", *setup, start, ""))


def submit(given: Sequence[str], text: str, count: int) -> str:
    """Submit an array of `count` jobs that are held until `release`; return the id of the array."""
    line = ["sbatch", "--parsable", "--hold", f"--array=0-{count - 1}", *given]
    return _run(line, text).strip().partition(";")[0]


def check(given: Sequence[str], text: str) -> None:
    """Ask whether such a job would be taken; raises SlurmError if not."""
    _run(["sbatch", "--test-only", "--array=0-0", *given], text)


def release(jobs: Sequence[str]) -> None:
    """Let held jobs (or arrays) start."""
    _run(["scontrol", "release", ",".join(jobs)])


def withdraw(jobs: Sequence[str]) -> None:
    """Cancel jobs that have not started."""
    _run(["scancel", "--quiet", "--state=PENDING", *jobs])


def terminate(jobs: Sequence[str]) -> None:
    """Ask the keepers of jobs to end."""
    _run(["scancel", "--quiet", "--batch", "--signal=TERM", *jobs])


def queue(name: str) -> dict[str, QueueEntry]:
    """Return this user's jobs of a name, by id (`ARRAY_INDEX`); those that ended minutes ago are among them."""
    listed = _run(
        ["squeue", "-h", "-r", "-t", "all", f"--user={os.getuid()}", f"--name={name}", "-o", _FIELDS]
    )
    return read_queue(listed)


def read_queue(listed: str) -> dict[str, QueueEntry]:
    """Return the entries of a listing of `squeue`."""
    entries = {}
    for line in listed.splitlines():
        job, state, reason, node = line.strip().split("|")
        entries[job] = QueueEntry(state, reason, node)
    return entries


def _run(line: Sequence[str], text: str = "") -> str:
    """Run a command and return what it prints; raises SlurmError."""
    try:
        ended = subprocess.run(
            line, input=text, env=_environment(os.environ), capture_output=True, text=True, check=False,
            timeout=COMMAND_PATIENCE,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise SlurmError(f"no command {line[0]}: is this a login node of the cluster?") from error
    except subprocess.TimeoutExpired as error:
        raise SlurmError(f"{line[0]} gave no answer within {COMMAND_PATIENCE:.0f} s") from error
    if ended.returncode:
        said = [each for each in ended.stderr.splitlines() if each.strip()]
        raise SlurmError(said[-1] if said else f"{line[0]} ended with {ended.returncode}")
    return ended.stdout


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without those of a job that this process itself runs in, which are no wish for others."""
    return {
        name: value for name, value in given.items() if not name.startswith("SLURM_") or name == "SLURM_CONF"
    }
