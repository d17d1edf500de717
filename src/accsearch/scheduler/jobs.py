"""Turn a task and a slot into a job."""

import uuid

from accsearch.executors.executor import Job
from accsearch.grid import command_line, success_sentinel
from accsearch.scheduler.slots.queued import QueuedTask
from accsearch.scheduler.slots.slot import Slot
from accsearch.workdir import WorkDir

TOLERATED = "ACCSEARCH_TOLERATED"
"""Variable that names the processes which were on the idle GPU; with it a search gives the GPU back to others."""
MOST_GIVEN_BACK = 2
"""How often a search gives its GPU back: what it takes for another process might be its own."""
GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL."""


def job_of(entry: QueuedTask, slot: Slot, workdir: WorkDir, cwd: str) -> Job:
    """Return the next attempt of `entry`, to be started on `slot`."""
    worker = entry.config.worker
    attempt = entry.attempt + 1
    nonce = uuid.uuid4().hex
    argv = command_line(
        entry.config,
        entry.task,
        attempt=attempt,
        batch_size=entry.tries.batch_size or worker.batch_size,
        workdir=workdir.root,
    )
    env = {
        "PYTHONUNBUFFERED": "1",
        **slot.env,
        **{name: str(value) for name, value in worker.env.items()},
        # What pins the worker is not the configuration's to change.
        "CUDA_VISIBLE_DEVICES": slot.env["CUDA_VISIBLE_DEVICES"],
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "ACCSEARCH_NONCE": nonce,
    }
    if slot.gpu is not None and entry.given_back < MOST_GIVEN_BACK:
        # Without it a search stays, whatever it meets, and notes that in its results.
        env[TOLERATED] = ",".join(map(str, sorted(slot.tolerated)))
    return Job(
        task=entry.task,
        attempt=attempt,
        nonce=nonce,
        argv=argv,
        env=env,
        cwd=cwd,
        paths=entry.paths,
        old_log=entry.paths.log_of(entry.attempt, entry.ids),
        gpu=slot.gpu,
        batch_size=entry.tries.batch_size,
        timeout=worker.timeout,
        stall_timeout=worker.stall_timeout,
        grace=GRACE,
        sentinel=success_sentinel(entry.config, entry.task),
    )
