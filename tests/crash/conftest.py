"""Fixtures of the crash tests; each test cleans up after itself as the fault tests do."""

from pathlib import Path

import pytest
from tests.crash.shim import Shim
from tests.faults.conftest import gate, gpu_work, work
from tests.faults.program import Work

__all__ = ["gate", "gpu_work", "shim", "work"]


@pytest.fixture
def shim(work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shim:
    """Faults of whatever is started in `work` with `shim.environment()`."""
    monkeypatch.setenv("FAULT_TEST", str(work.folder))  # what is started here is found like the rest
    return Shim(tmp_path, work.root)
