"""`accsearch replay`: measure one stored trial again."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from accsearch.cli.options import HERE, WorkDirOption

if TYPE_CHECKING:
    from pathlib import Path

    from accsearch.config.schema import GpuConfig
    from accsearch.results.line import ResultLine


def replay(
    task: Annotated[str, typer.Argument(metavar="TASK", help="TASK, or CONFIG/TASK where ambiguous.")],
    trial: Annotated[
        str, typer.Argument(metavar="TRIAL", help="Id of a trial, as `accsearch export` shows it.")
    ],
    workdir: WorkDirOption = HERE,
) -> int:
    """Run one trial again as it was run; say whether images are identical and times agree."""
    import os
    import subprocess
    import sys

    from accsearch.checkpoint.plan import load_plan
    from accsearch.checkpoint.select import find_task
    from accsearch.results.stored import stored_line
    from accsearch.task import WorkerExit
    from accsearch.workdir import WorkDir

    directory = WorkDir(workdir.resolve())
    found = find_task(directory, task)
    line = stored_line(directory.task(found.config, found.id), found, trial)
    config = load_plan(directory, found.config).grid.config
    options = {
        "workdir": directory.root,
        "config": found.config,
        **found.axes,
        # Those of the line: after an OOM the batch is smaller than the configured one.
        "num_samples": line.num_samples,
        "batch_size": line.batch_size,
        "replay": trial,
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    with _place(line, config.gpus, directory.root) as place:
        ended = subprocess.run(
            [sys.executable, "-m", "accsearch.worker", *arguments],
            env={**os.environ, **_threads(line), **config.worker.env, **place.env},
            pass_fds=place.leases,
            check=False,
        )
    return ended.returncode if ended.returncode in (WorkerExit.OK, WorkerExit.CONFIG) else WorkerExit.ERROR


@dataclass(frozen=True)
class _Place:
    """The environment that pins the worker, and the descriptors of its leases."""

    env: Mapping[str, str]
    leases: tuple[int, ...] = ()


def _threads(line: "ResultLine") -> dict[str, str]:
    threads = line.environment.get("threads")
    return {} if threads is None else dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))


@contextmanager
def _place(line: "ResultLine", limits: "GpuConfig", workdir: "Path") -> "Iterator[_Place]":
    """Lease the GPU of `line` if it is idle, else another idle one, of the same model if there is one."""
    import os

    from accsearch.errors import NoGpuError
    from accsearch.gpus.lease import acquire
    from accsearch.gpus.nvml import open_nvml
    from accsearch.gpus.survey import survey

    if line.gpu is None:
        yield _Place({"CUDA_VISIBLE_DEVICES": ""})
        return
    with open_nvml() as nvml:
        rows = survey(nvml, limits, os.environ.get("CUDA_VISIBLE_DEVICES"), limits.exclude)
    near = sorted(rows, key=lambda row: (row.device.uuid != line.gpu, row.device.name != line.gpu_name))
    for device in (row.device for row in near if row.idle):
        if (lease := acquire(device.uuid, workdir)) is not None:
            break
    else:
        busy = "; ".join(f"GPU {row.device.label}: {row.why}" for row in rows)
        raise NoGpuError(
            f"{line.trial} was measured on a GPU and none is idle now: {busy or 'there is none'}"
        )
    try:
        pinned = {"CUDA_VISIBLE_DEVICES": device.uuid, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
        yield _Place(pinned, (lease.fileno(),))
    finally:
        lease.close()
