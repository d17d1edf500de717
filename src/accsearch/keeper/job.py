"""Entry point of a cluster's job: `python -m accsearch.keeper.job FILE`, the keeper of the one attempt in FILE.

Slurm may start a job a second time while the first start still runs, where it has lost sight of a node. The first start
claims the attempt by making a file, which one of them alone can; another one finds the claim and ends, whatever has
become of the first. It also ends if the task is another attempt's by now.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from accsearch.checkpoint.heartbeat import is_owned
from accsearch.config.schema import GpuConfig
from accsearch.cores import thread_settings
from accsearch.errors import AccsearchError
from accsearch.executors.slurm_job import claim_of, returned_of
from accsearch.gpus.lend import NO_GPU, lend
from accsearch.gpus.pinning import VISIBLE
from accsearch.keeper.child import become_subreaper
from accsearch.keeper.keeper import Keeper, catch_termination
from accsearch.process_identity import host_name
from accsearch.workdir import write_json


def main(arguments: Sequence[str]) -> int:
    """Run the attempt to its end, unless it is not for this start to run; return the exit code."""
    file = Path(arguments[0])
    content: dict[str, Any] = json.loads(file.read_bytes())
    job: dict[str, Any] = content["job"]
    nonce = job["running"]["nonce"]
    signals = catch_termination()
    if not _claim(claim_of(file, nonce)):
        print(f"accsearch: an earlier start of this job has claimed the attempt: {claim_of(file, nonce)}")
        return 0
    if not is_owned(Path(job["running_file"]), nonce):
        print("accsearch: the task is no longer this attempt's")
        return 0
    become_subreaper()
    loan = NO_GPU
    gpus = content["gpus"]
    try:
        lent = nullcontext(NO_GPU) if gpus is None else lend(GpuConfig(**gpus), Path(content["workdir"]))
        with lent as loan:
            for lease in loan.leases:
                os.set_inheritable(lease, True)  # held by the worker, too
            keeper = Keeper(signals)
            keeper.begin(_completed(job, content["threads"], loan.env))
            keeper.serve()
    except AccsearchError as error:
        if loan is not NO_GPU or gpus is None:
            raise
        write_json(returned_of(file, nonce), {"why": f"{host_name()}: {error}"}, durable=False)
    return 0


def _claim(path: Path) -> bool:
    """Claim the attempt for this start of the job; return False if another start has done so."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _completed(job: dict[str, Any], threads: int, pins: Mapping[str, str]) -> dict[str, Any]:
    """Return the keeper's message with what only the node knows: its name, and the GPU that the worker gets."""
    env = {**thread_settings(threads, {**os.environ, **job["env"]}), **job["env"], **pins}
    running = job["running"] | {"host": host_name(), "gpu": pins[VISIBLE] or None}
    # This keeper has one job: a process that is ready to fork the next worker would be for nothing.
    return job | {"env": env, "running": running, "imports": []}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
