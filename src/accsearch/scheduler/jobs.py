"""Turn a task and a slot into a job."""

import uuid
from collections.abc import Callable
from pathlib import Path

from accsearch.cores import with_mkl_threads
from accsearch.executors.executor import Job
from accsearch.executors.messages import NONCE
from accsearch.gpus.pinning import TOLERATED
from accsearch.grid import command_line, success_sentinel, worker_imports
from accsearch.scheduler.slots.queued import QueuedTask
from accsearch.scheduler.slots.slot import Slot
from accsearch.workdir import WorkDir

MOST_GIVEN_BACK = 2
"""How often a search gives its GPU back: the other process that it sees might be its own."""
GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL."""


def job_of(
    queued: QueuedTask, slot: Slot, workdir: WorkDir, cwd: str, root_for: Callable[[Path, str], Path]
) -> Job:
    """Return the next attempt of `queued`, to be started on `slot`.

    `root_for` gives the work directory as the worker of an attempt, known by its nonce, sees it.
    """
    worker = queued.config.worker
    attempt = queued.attempt + 1
    nonce = uuid.uuid4().hex
    argv = command_line(
        queued.config,
        queued.task,
        attempt=attempt,
        batch_size=queued.tries.batch_size or worker.batch_size,
        workdir=root_for(workdir.root, nonce),
    )
    env = {
        "PYTHONUNBUFFERED": "1",
        **slot.env,
        # A slot's threads stand in both variables: who sets OpenMP's alone means MKL's too.
        **with_mkl_threads({name: str(value) for name, value in worker.env.items()}),
        # What pins the worker is not the configuration's to change.
        **slot.pins(),
        NONCE: nonce,
    }
    if slot.gpu is not None and queued.given_back < MOST_GIVEN_BACK:
        # Without it a search stays, whatever it meets, and notes that in its results.
        env[TOLERATED] = ",".join(map(str, sorted(slot.tolerated)))
    return Job(
        task=queued.task,
        attempt=attempt,
        nonce=nonce,
        argv=argv,
        env=env,
        cwd=cwd,
        paths=queued.paths,
        old_log=queued.paths.log_of(queued.attempt, queued.ids),
        gpu=slot.gpu,
        batch_size=queued.tries.batch_size,
        timeout=worker.timeout,
        stall_timeout=worker.stall_timeout,
        grace=GRACE,
        sentinel=success_sentinel(queued.config, queued.task),
        imports=worker_imports(queued.config, queued.task) if worker.warm else (),
    )
