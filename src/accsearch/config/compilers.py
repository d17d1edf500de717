"""The compilers that torch.compile calls, looked for on this machine."""

import os
import shutil
from collections.abc import Mapping
from importlib.util import find_spec


def missing_compiler(
    device: str, given: Mapping[str, str], own: Mapping[str, str] = os.environ
) -> str | None:
    """Return what torch.compile lacks on `device` (cuda, cpu or auto), None if it lacks nothing.

    `given` is what a worker's environment has beside `own`, this process's.
    """
    environment = {**own, **given}
    if device == "cuda":
        if find_spec("triton") is None:
            return "torch.compile needs the package triton on a GPU, which is not installed"
        return _missing("a C compiler", environment.get("CC"), ("gcc", "clang"), environment)
    return _missing("a C++ compiler", environment.get("CXX"), ("g++",), environment)


def _missing(
    what: str, named: str | None, usual: tuple[str, ...], environment: Mapping[str, str]
) -> str | None:
    wanted = (named,) if named else usual
    if any(shutil.which(name, path=environment.get("PATH")) for name in wanted):
        return None
    return f"torch.compile needs {what}, and there is no {' or '.join(wanted)} in PATH"
