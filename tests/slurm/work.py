"""A work directory whose tasks run on the cluster of a test; signs of life and questions to Slurm come often."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.faults.program import Program, Work
from tests.slurm.cluster import Cluster

from accsearch.executors.slurm_submission import job_name

QUICK = """
import sys
from accsearch.checkpoint import heartbeat
from accsearch.executors import slurm
heartbeat.BEAT, heartbeat.SILENCE, heartbeat.LOOK = 0.2, 3.0, 0.2
slurm.FILES, slurm.QUEUE, slurm.REST_FIRST, slurm.REST_LONGEST = 0.1, 0.3, 0.2, 1.0
from accsearch.cli.app import main
sys.argv[0] = "accsearch"
main()
"""


class SlurmWork(Work):
    """As `Work`, but `accsearch run` is for the cluster; each task gets a GPU, or else half a node's cores."""

    def __init__(
        self,
        cluster: Cluster,
        folder: Path,
        env: Mapping[str, str],
        *,
        leases: Path | None = None,
        on_gpus: bool = False,
    ) -> None:
        super().__init__(folder, {**env, "SLURM_CONF": cluster.env["SLURM_CONF"], "FAULT_TEST": str(folder)})
        self.cluster = cluster
        self._gpus = () if on_gpus else ("--gpus", "none")
        # Leases are a node's own, and both nodes are on this machine.
        self._setup = [f"export ACCSEARCH_LEASES={leases or folder}/leases-$SLURMD_NODENAME"]
        self._cpus = 1 if on_gpus else 2

    def configure(self, command: Sequence[str], axes: Mapping[str, Sequence[str]], **sections: Any) -> None:
        section = {"cpus_per_task": self._cpus, "setup": self._setup, **sections.pop("cluster", {})}
        super().configure(command, axes, cluster=section, **sections)

    def start(self, *arguments: str, **env: str) -> Program:
        line = [sys.executable, "-c", QUICK]
        return Program([*arguments, "--workdir", str(self.root)], self.env | env, self.folder, line)

    def start_run(self, *options: str, **env: str) -> Program:
        return self.start("run", "c.yaml", "--executor", "slurm", *self._gpus, *options, **env)

    def queue(self, *states: str) -> list[str]:
        """Return the ids of this test's jobs, those that have ended too, or those in some states."""
        options = ("-hr", "-t", ",".join(states) or "all", f"--name={job_name(self.root)}", "-o", "%F_%K")
        return self.cluster.command("squeue", *options)

    def rows(self) -> dict[str, Any]:
        """Return what `status --json` says of each task."""
        return {task["id"]: task for task in self.status()["tasks"]}

    def cancel(self) -> None:
        """Cancel what a failed test has left."""
        self.cluster.command("scancel", "--me")
