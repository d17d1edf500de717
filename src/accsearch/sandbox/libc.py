"""The C library and the few constants that Python does not expose."""

import ctypes
import os
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def call(name: str, *arguments: Any) -> int:
    """Call a function of the C library; raises OSError where it returns -1."""
    return _checked(name, getattr(_libc, name)(*arguments))


def syscall(number: int, *arguments: Any) -> int:
    """Make a system call by number; integers are passed as 64 bits. Raises OSError."""
    wide = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    return _checked(f"system call {number}", _libc.syscall(ctypes.c_long(number), *wide))


def prctl(option: int, *arguments: Any) -> int:
    """Call prctl; raises OSError."""
    padded = [*arguments, 0, 0, 0, 0][:4]
    wide = [ctypes.c_ulong(each) if isinstance(each, int) else each for each in padded]
    return _checked("prctl", _libc.prctl(ctypes.c_int(option), *wide))


def _checked(name: str, result: int) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return int(result)
