"""Kernel namespaces: own process numbers, network, IPC and mounts."""

import os
from pathlib import Path

from accsearch.sandbox import libc

NEWNS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x00020000, 0x08000000, 0x10000000, 0x20000000, 0x40000000


def enter() -> bool:
    """Leave the namespaces of processes (from the next fork on), network, IPC and mounts.

    Returns whether a user namespace was needed for that. Raises OSError where the kernel does not allow it.
    """
    flags = NEWPID | NEWNET | NEWIPC | NEWNS
    try:
        libc.call("unshare", flags)
    except PermissionError:
        user, group = os.geteuid(), os.getegid()
        libc.call("unshare", flags | NEWUSER)
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
        return True
    return False
