"""A system call filter: no sockets, no tracing, no new namespaces, no way round landlock."""

import ctypes
import os
import platform
import struct
from collections.abc import Sequence

from accsearch.codeeval.sandbox import libc
from accsearch.codeeval.sandbox.syscalls import ABSENT, IGNORED, NUMBERS, OF_PROCESS, REFUSED, TIMES

MODE_FILTER = 2
KILL_PROCESS, ALLOW = 0x80000000, 0x7FFF0000
REFUSE, NOT_THERE, NO_EFFECT = 0x00050000 | 1, 0x00050000 | 38, 0x00050000
"""Return EPERM; return ENOSYS; return 0 and do nothing."""

LOAD, AND, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_SET, RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32 = 0x40000000
NEW_NAMESPACE = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""

ATTRIBUTES = (0x40086602, 0x40046602, 0x401C5820, 0x40087602, 0x40806685)
"""FS_IOC_SETFLAGS in 64 and 32 bits, FSSETXATTR, SETVERSION and ENABLE_VERITY.

A file opened for reading is enough for them.
"""

SET_DUMPABLE = 4
TRUNCATES, ACCESS = 0o1000, 0o3
PRIORITY_OF_PROCESS, IO_PRIORITY_OF_PROCESS = 0, 1

Steps = list[bytes]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def supported() -> bool:
    """Say whether the system call numbers of this machine are known."""
    return platform.machine() in NUMBERS


def restrict(*, truncation: bool = False) -> None:
    """Install the filter for this process and its descendants; with `truncation`, that is filtered too.

    Needs no_new_privs. Raises OSError.
    """
    program = build(platform.machine(), os.getpid(), truncation=truncation)
    buffer = ctypes.create_string_buffer(program)
    header = _Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    libc.prctl(libc.PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(header))


def build(machine: str, pid: int, *, truncation: bool = False) -> bytes:
    """Return the filter for a process of `machine` as 8-byte instructions."""
    numbers = NUMBERS[machine]
    steps = [
        _step(LOAD, ARCHITECTURE),
        _step(JUMP_EQUAL, ARCHITECTURES[machine], 1, 0),
        _step(RETURN, KILL_PROCESS),
        _step(LOAD, NUMBER),
        # Numbers of the x32 interface would reach the same calls under other names.
        _step(JUMP_AT_LEAST, X32, 0, 1),
        _step(RETURN, REFUSE),
    ]
    answers = dict.fromkeys(REFUSED, REFUSE) | dict.fromkeys(ABSENT, NOT_THERE)
    judged = {name: [_step(RETURN, answer)] for name, answer in answers.items()}
    # Landlock has no say in who owns a file, its mode, times and attributes: a user could change those of
    # every file of theirs. Only what the standard library calls on copies of its own gets no error.
    judged |= {name: [_step(RETURN, NO_EFFECT)] for name in IGNORED}
    judged |= {name: _times(*places) for name, places in TIMES.items()}
    judged |= {name: _own_process(name, place, pid) for name, place in OF_PROCESS.items()}
    judged["ioctl"] = _unless(1, ATTRIBUTES)
    # A process that cannot be looked into hides the files that it holds open from the watch on disk.
    judged["prctl"] = _unless(0, (SET_DUMPABLE,))
    judged["clone"] = [
        _load(0),
        _step(JUMP_SET, NEW_NAMESPACE, 0, 1),
        _step(RETURN, REFUSE),
        _step(RETURN, ALLOW),
    ]
    if truncation:
        judged |= _truncation()
    for name, block in judged.items():
        if name in numbers:
            steps += [_step(JUMP_EQUAL, numbers[name], 0, len(block)), *block]
    return b"".join([*steps, _step(RETURN, ALLOW)])


def _times(path: int, times: int) -> Steps:
    """Do nothing, but refuse "now" for a path: `touch` of Python takes success for a file that is there."""
    return [
        _load(times),
        _step(JUMP_EQUAL, 0, 0, 2),
        _load(path),
        _step(JUMP_EQUAL, 0, 0, 1),
        _step(RETURN, NO_EFFECT),
        _step(RETURN, REFUSE),
    ]


def _own_process(name: str, place: int, pid: int) -> Steps:
    """Allow a call on the caller (0) and on the process that installs the filter, refuse it on all others."""
    kinds = {"setpriority": PRIORITY_OF_PROCESS, "ioprio_set": IO_PRIORITY_OF_PROCESS}
    # What is no number of a process is that of a group or a user.
    of_process = (
        [_load(0), _step(JUMP_EQUAL, kinds[name], 1, 0), _step(RETURN, REFUSE)] if name in kinds else []
    )
    return [
        *of_process,
        _load(place),
        _step(JUMP_EQUAL, 0, 2, 0),
        _step(JUMP_EQUAL, pid, 1, 0),
        _step(RETURN, REFUSE),
        _step(RETURN, ALLOW),
    ]


def _truncation() -> dict[str, Steps]:
    """Refuse what empties a file without having it open for writing; the flags of openat2 are in memory."""

    def of_open(flags: int) -> Steps:
        return [
            _load(flags),
            _step(AND, TRUNCATES | ACCESS),
            _step(JUMP_EQUAL, TRUNCATES, 1, 0),
            _step(JUMP_EQUAL, TRUNCATES | ACCESS, 0, 1),
            _step(RETURN, REFUSE),
            _step(RETURN, ALLOW),
        ]

    return {
        "truncate": [_step(RETURN, REFUSE)],
        "openat2": [_step(RETURN, NOT_THERE)],
        "open": of_open(1),
        "openat": of_open(2),
    }


def _unless(argument: int, values: Sequence[int]) -> Steps:
    """Refuse a call with one of the values as an argument."""
    tests = [_step(JUMP_EQUAL, value, len(values) - number, 0) for number, value in enumerate(values)]
    return [_load(argument), *tests, _step(RETURN, ALLOW), _step(RETURN, REFUSE)]


def _load(argument: int) -> bytes:
    """Load the lower half of an argument: all that the kernel takes of numbers and flags.

    Of addresses it is enough too: where it is 0 by chance, the call is refused or does nothing all the same.
    """
    return _step(LOAD, ARGUMENTS + 8 * argument)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)
