"""A Slurm of two nodes for the tests of a module, and work directories for which it runs tasks."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.program import Gate
from tests.slurm.cluster import Cluster, running_cluster, why_no_cluster
from tests.slurm.work import SlurmWork
from tests.standin import StandIn


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if (why := why_no_cluster()) is not None:
        pytest.skip(why)
    with running_cluster(tmp_path_factory.mktemp("slurm")) as made:
        yield made


@pytest.fixture
def work(cluster: Cluster, tmp_path: Path) -> Iterator[SlurmWork]:
    """A work directory of which each task gets two cores and no GPU: four run at once, two a node."""
    made = SlurmWork(cluster, tmp_path, dict(os.environ))
    yield made
    made.cancel()


@pytest.fixture
def gpu_work(cluster: Cluster, tmp_path: Path, standin: StandIn) -> Iterator[SlurmWork]:
    """A work directory of which each task gets a GPU; every node seems to have two."""
    made = SlurmWork(cluster, tmp_path, standin.environment(), leases=standin.folder, on_gpus=True)
    yield made
    made.cancel()


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    made = Gate(tmp_path, "gate")
    yield made
    made.close()
