"""A pytest plugin of `make quick`: a test that starts a process or loads torch fails, unless it is marked `process`."""

import sys
from collections.abc import Iterator

import pytest

STARTS = {"subprocess.Popen", "os.fork", "os.posix_spawn", "os.system"}


class Guard:
    """An audit hook, which cannot be taken away again, and whether it is to refuse anything now."""

    def __init__(self) -> None:
        self.is_on = False
        sys.addaudithook(self.hear)

    def hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "import" and arguments[0] == "torch":
            raise AssertionError("a quick test loads torch: leave its file out of QUICK in the Makefile")
        if self.is_on and event in STARTS:
            raise AssertionError(f"a quick test starts a process ({event}): mark it `process`")


GUARD = Guard()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    GUARD.is_on = True
    try:
        return (yield)
    finally:
        GUARD.is_on = False
