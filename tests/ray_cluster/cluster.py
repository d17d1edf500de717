"""A real Ray cluster of two nodes on this machine, each with one of the two GPUs that the stand-in pretends."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.faults.program import Program, Work
from tests.standin import StandIn

PATIENCE = 180.0
"""Seconds after which a run that should have ended never will: on a busy machine it takes long to join a cluster."""


class RayWork(Work):
    """A work directory whose `run` goes to a Ray cluster."""

    def __init__(self, folder: Path, env: dict[str, str], address: str) -> None:
        super().__init__(folder, env)
        self._address = address

    def start_run(self, *options: str, **env: str) -> Program:
        return self.start("run", "c.yaml", *options, "--executor", "ray", "--address", self._address, **env)


class TwoNodes:
    """The nodes and their GPUs; each node has two cores."""

    def __init__(self, folder: Path) -> None:
        from ray.cluster_utils import Cluster

        self.folder = folder
        self.standin = StandIn(folder, gpus=2)
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        self.env = self.standin.environment() | {"RAY_USAGE_STATS_ENABLED": "0"}
        with self._environment(0):
            self._cluster = Cluster(initialize_head=True, head_node_args=_node(include_dashboard=False))
        with self._environment(1):
            self.second = self._cluster.add_node(**_node())

    @property
    def address(self) -> str:
        return str(self._cluster.address)

    @property
    def second_id(self) -> str:
        return str(self.second.node_id)

    def work(self, name: str) -> RayWork:
        folder = self.folder / name
        folder.mkdir()
        return RayWork(folder, self.env, self.address)

    def lose_second(self) -> None:
        """End the second node as a power cut would."""
        self._cluster.remove_node(self.second, allow_graceful=False)

    def close(self) -> None:
        self._cluster.shutdown()

    @contextmanager
    def _environment(self, gpu: int) -> Iterator[None]:
        """Let what is started here see one GPU, as on a machine that has no other."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.env.items():
                patch.setenv(name, value)
            patch.setenv("CUDA_VISIBLE_DEVICES", str(gpu))
            yield


def _node(**more: Any) -> dict[str, Any]:
    return {"num_cpus": 2, "num_gpus": 1, "object_store_memory": 80_000_000, **more}
