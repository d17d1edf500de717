"""Give up every privilege: capabilities, and, for root, the user itself."""

import contextlib
import ctypes
import hashlib
import os
from pathlib import Path

from accsearch.sandbox import libc

CAP_CHOWN, CAP_DAC_READ_SEARCH, CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SETPCAP = 0, 2, 5, 6, 7, 8
NEEDED = sum(
    1 << bit for bit in (CAP_CHOWN, CAP_DAC_READ_SEARCH, CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SETPCAP)
)
"""To become another user who can read everything, and to end that user's processes."""

LAST_CAPABILITY = 63
AMBIENT_RAISE = 2
VERSION_3 = 0x20080522
FIRST_USER, USERS = 1_700_000_000, 400_000_000
"""Users from here on are nobody's; each sandbox takes one of its own, so that the kernel counts it alone."""


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def can_switch_user() -> bool:
    """Say whether this is a root that can become another user and still read what only root may.

    The libraries may lie in a folder of root's own; landlock decides what is read, not the owner.
    """
    held = next(
        int(line.split()[1], 16)
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        if line.startswith("CapPrm:")
    )
    return os.geteuid() == 0 and held & NEEDED == NEEDED and _whole_user_range()


def user_of(scratch: str) -> int:
    """Return the user of the sandbox with this scratch folder, whose name no other one has."""
    # Process numbers would not do: within a namespace they are the same in every sandbox.
    return FIRST_USER + int.from_bytes(hashlib.sha256(scratch.encode()).digest()[:8]) % USERS


def switch_user(scratch: str) -> None:
    """Become a user of this sandbox's own, who owns `scratch` and may read everything. Raises OSError."""
    user = user_of(scratch)
    for folder, _, files in os.walk(scratch):
        for path in (folder, *(os.path.join(folder, name) for name in files)):  # noqa: PTH118
            os.chown(path, user, user, follow_symlinks=False)
    libc.prctl(libc.PR_SET_KEEPCAPS, 1)
    _drop_bounding(keep=CAP_DAC_READ_SEARCH)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    _set_capabilities(1 << CAP_DAC_READ_SEARCH)
    libc.prctl(libc.PR_CAP_AMBIENT, AMBIENT_RAISE, CAP_DAC_READ_SEARCH)


def drop_all() -> None:
    """Give up every capability, keeping the user. Raises OSError."""
    # Without CAP_SETPCAP nothing can be dropped there; no_new_privs keeps it from mattering.
    with contextlib.suppress(PermissionError):
        _drop_bounding(keep=None)
    _set_capabilities(0)


def _drop_bounding(keep: int | None) -> None:
    for capability in range(LAST_CAPABILITY + 1):
        if capability != keep:
            try:
                libc.prctl(libc.PR_CAPBSET_DROP, capability)
            except OSError as error:
                if isinstance(error, PermissionError):
                    raise
                return


def _set_capabilities(mask: int) -> None:
    header = _Header(VERSION_3, 0)
    data = (_Data * 2)(_Data(mask, mask, mask), _Data(0, 0, 0))
    libc.call("capset", ctypes.byref(header), ctypes.byref(data))


def _whole_user_range() -> bool:
    first, _, count = Path("/proc/self/uid_map").read_text(encoding="ascii").split()[:3]
    return int(first) == 0 and int(count) > FIRST_USER + USERS
