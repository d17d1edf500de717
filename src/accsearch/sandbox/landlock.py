"""Landlock: the kernel's own rule set on files, TCP, abstract sockets and signals, for any user."""

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

from accsearch.sandbox import libc

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION_FLAG = 1
PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = (1 << bit for bit in range(4))
REFER, TRUNCATE, IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
FIRST_VERSION = (1 << 13) - 1
TRUNCATION_SINCE = 3
ADDED = {2: REFER, TRUNCATION_SINCE: TRUNCATE, 5: IOCTL_DEVICE}
TCP = 0b11
TCP_SINCE = 4
SCOPES = 0b11
SIGNALS_SINCE = 6
"""The version from which a sandboxed program can neither signal others nor reach their abstract sockets."""


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version() -> int:
    """Return the version of the kernel's landlock, 0 where it is absent or off."""
    try:
        return libc.syscall(CREATE_RULESET, None, 0, VERSION_FLAG)
    except OSError:
        return 0


def handled_files(abi: int) -> int:
    """Return every right on files that a kernel of version `abi` can withhold."""
    return FIRST_VERSION | sum(right for since, right in ADDED.items() if since <= abi)


def restrict(readable: Iterable[str], devices: Iterable[str], writable: str) -> None:
    """Confine this process until its end: `readable` can be read and run, `devices` used, `writable` changed.

    Everything else is out of reach, and so are TCP and, from version 6 on, signals to processes outside and
    abstract sockets. Needs no_new_privs. Raises OSError.
    """
    abi = version()
    every = handled_files(abi)
    attributes = _Ruleset(every, TCP, SCOPES)
    size = 24 if abi >= SIGNALS_SINCE else 16 if abi >= TCP_SINCE else 8
    ruleset = libc.syscall(CREATE_RULESET, ctypes.byref(attributes), size, 0)
    for path in readable:
        _allow(ruleset, path, every & (EXECUTE | READ_FILE | READ_DIR))
    for path in devices:
        _allow(ruleset, path, every & (READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | IOCTL_DEVICE))
    _allow(ruleset, writable, every)
    libc.syscall(RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not Path(path).is_dir():
            rights &= EXECUTE | READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEVICE
        rule = _PathBeneath(rights, descriptor)
        libc.syscall(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(descriptor)
