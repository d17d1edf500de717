"""A system call filter: no sockets, no tracing, no new namespaces, no way round landlock."""

import ctypes
import platform
import struct
from collections.abc import Mapping

from accsearch.codeeval.sandbox import libc

MODE_FILTER = 2
KILL_PROCESS, ALLOW = 0x80000000, 0x7FFF0000
REFUSE, ABSENT = 0x00050000 | 1, 0x00050000 | 38
"""Return EPERM, return ENOSYS."""

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_SET, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
X32 = 0x40000000
NEW_NAMESPACE = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""

# `socket` is refused as a whole: UDP and named Unix sockets are nothing that landlock would stop, and
# io_uring could open a socket unseen by this filter. `socketpair` stays.
_X86_64 = {
    "socket": 41, "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311,
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "setns": 308, "unshare": 272,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "mount_setattr": 442,
    "bpf": 321, "keyctl": 250, "add_key": 248, "request_key": 249, "perf_event_open": 298,
    "userfaultfd": 323, "open_by_handle_at": 304, "pidfd_getfd": 438, "kexec_load": 246,
    "kexec_file_load": 320, "init_module": 175, "finit_module": 313, "delete_module": 176, "reboot": 169,
    "swapon": 167, "swapoff": 168, "settimeofday": 164, "clock_settime": 227, "acct": 163,
    "shmget": 29, "semget": 64, "msgget": 68, "mq_open": 240,
}  # fmt: skip
_AARCH64 = {
    "socket": 198, "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271,
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "setns": 268, "unshare": 97,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "mount_setattr": 442,
    "bpf": 280, "keyctl": 219, "add_key": 217, "request_key": 218, "perf_event_open": 241,
    "userfaultfd": 282, "open_by_handle_at": 265, "pidfd_getfd": 438, "kexec_load": 104,
    "kexec_file_load": 294, "init_module": 105, "finit_module": 273, "delete_module": 106, "reboot": 142,
    "swapon": 224, "swapoff": 225, "settimeofday": 170, "clock_settime": 112, "acct": 89,
    "shmget": 194, "semget": 190, "msgget": 186, "mq_open": 180,
}  # fmt: skip
_TABLES: Mapping[str, tuple[int, Mapping[str, int], Mapping[str, int]]] = {
    "x86_64": (0xC000003E, _X86_64, {"clone": 56, "clone3": 435, "prlimit64": 302}),
    "aarch64": (0xC00000B7, _AARCH64, {"clone": 220, "clone3": 435, "prlimit64": 261}),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def supported() -> bool:
    """Say whether the system call numbers of this machine are known."""
    return platform.machine() in _TABLES


def restrict() -> None:
    """Install the filter for this process and its descendants. Needs no_new_privs. Raises OSError."""
    program = build(platform.machine())
    buffer = ctypes.create_string_buffer(program)
    header = _Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    libc.prctl(libc.PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(header))


def build(machine: str) -> bytes:
    """Return the filter for `machine` as 8-byte instructions."""
    architecture, refused, special = _TABLES[machine]
    steps = [
        _step(LOAD, ARCHITECTURE),
        _step(JUMP_EQUAL, architecture, 1, 0),
        _step(RETURN, KILL_PROCESS),
        _step(LOAD, NUMBER),
        # Numbers of the x32 interface would reach the same calls under other names.
        _step(JUMP_AT_LEAST, X32, 0, 1),
        _step(RETURN, REFUSE),
    ]
    for number in refused.values():
        steps += [_step(JUMP_EQUAL, number, 0, 1), _step(RETURN, REFUSE)]
    steps += [
        # Its flags are in memory, where a filter cannot look; the C library then takes `clone`.
        _step(JUMP_EQUAL, special["clone3"], 0, 1),
        _step(RETURN, ABSENT),
        _step(JUMP_EQUAL, special["clone"], 0, 4),
        _step(LOAD, FIRST_ARGUMENT),
        _step(JUMP_SET, NEW_NAMESPACE, 0, 1),
        _step(RETURN, REFUSE),
        _step(RETURN, ALLOW),
        # Limits of other processes: only those of the caller itself (0) may be touched.
        _step(JUMP_EQUAL, special["prlimit64"], 0, 3),
        _step(LOAD, FIRST_ARGUMENT),
        _step(JUMP_EQUAL, 0, 1, 0),
        _step(RETURN, REFUSE),
        _step(RETURN, ALLOW),
    ]
    return b"".join(steps)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)
