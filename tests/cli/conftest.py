"""Fixtures of the command tests; a run that is looked at while it works is that of the fault tests."""

from tests.faults.conftest import gate, gpu_work, work

__all__ = ["gate", "gpu_work", "work"]
