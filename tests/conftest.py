"""Fixtures shared by the whole suite."""

from pathlib import Path

import pytest
from tests.standin import StandIn


@pytest.fixture
def standin(tmp_path: Path) -> StandIn:
    """Pretend a machine with two idle GPUs; a process started with `standin.environment()` sees them."""
    return StandIn(tmp_path, gpus=2)
