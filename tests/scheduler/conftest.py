"""A simulated run, on leases and cores of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.scheduler.simulation import Simulation

from accsearch.scheduler.slots import cpu_slots


@pytest.fixture
def simulation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulation]:
    monkeypatch.setenv("ACCSEARCH_LEASES", str(tmp_path / "leases"))
    monkeypatch.setattr(cpu_slots, "usable_cores", lambda: 1)  # the load of this machine is not measured
    made = Simulation(tmp_path)
    yield made
    made.close()
