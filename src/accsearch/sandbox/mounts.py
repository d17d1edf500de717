"""The view of files of the level `unshare`: an empty root into which only what may be read is bound."""

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

from accsearch.sandbox import libc

BIND, RECURSIVE, PRIVATE, REMOUNT, READ_ONLY, NO_SUID, NO_DEVICES, NO_PROGRAMS = (
    4096,
    16384,
    1 << 18,
    32,
    1,
    2,
    4,
    8,
)
PROC = "/proc"
DETACH = 2
MOUNT_SETATTR, PIVOT_ROOT = 442, {"x86_64": 155, "aarch64": 41}
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
ATTRIBUTE_READ_ONLY, ATTRIBUTE_NO_SUID = 1, 2


class _Attributes(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("user_namespace", ctypes.c_uint64),
    )


def confine(
    readable: Iterable[str], devices: Iterable[str], writable: str, place: str, *, own_files: bool
) -> None:
    """Make `place` (an empty folder) the root, holding only the given paths; only `writable` can be changed.

    /proc is one of the new process namespace's where a container does not forbid that, for writing if `own_files`
    says so. Needs a mount namespace of its own. Raises OSError.
    """
    _private()
    _mount("tmpfs", place, "tmpfs", NO_SUID | NO_DEVICES)
    for path in readable:
        if path == PROC:
            Path(place + PROC).mkdir()
            if _mount_proc(place + PROC, 0 if own_files else READ_ONLY):
                continue
        _read_only(_bind(path, place))
    for path in devices:
        _bind(path, place)
    _bind(writable, place)
    _mount(None, place, None, REMOUNT | READ_ONLY | NO_SUID | NO_DEVICES)
    os.chdir(place)
    libc.syscall(PIVOT_ROOT[os.uname().machine], ctypes.c_char_p(b"."), ctypes.c_char_p(b"."))
    libc.call("umount2", b".", DETACH)
    os.chdir(writable)


def _bind(path: str, place: str) -> str:
    target = place + path
    if Path(path).is_dir():
        Path(target).mkdir(parents=True, exist_ok=True)
    elif not Path(target).exists():
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        Path(target).touch()
    _mount(path, target, None, BIND | RECURSIVE)
    return target


def own_processes() -> bool:
    """Mount a /proc of the sandbox's processes alone over the machine's; return False where that is forbidden.

    Needs a mount namespace of its own, and the first process of a process namespace as an ancestor.
    """
    try:
        _private()
    except OSError:
        return False
    return _mount_proc(PROC, 0)


def _private() -> None:
    _mount(None, "/", None, RECURSIVE | PRIVATE)


def _mount_proc(target: str, flags: int) -> bool:
    try:
        _mount("proc", target, "proc", flags | NO_SUID | NO_DEVICES | NO_PROGRAMS)
    except OSError:
        return False
    return True


def _read_only(target: str) -> None:
    attributes = _Attributes(ATTRIBUTE_READ_ONLY | ATTRIBUTE_NO_SUID, 0, 0, 0)
    size = ctypes.sizeof(attributes)
    name = ctypes.c_char_p(target.encode())
    libc.syscall(MOUNT_SETATTR, AT_FDCWD, name, AT_RECURSIVE, ctypes.byref(attributes), size)


def _mount(source: str | None, target: str, kind: str | None, flags: int) -> None:
    names = [None if each is None else each.encode() for each in (source, target, kind)]
    libc.call("mount", *names, ctypes.c_ulong(flags), None)
