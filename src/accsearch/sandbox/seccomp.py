"""A system call filter: no sockets but connected pairs, no tracing, no new namespaces, no way round landlock."""

import ctypes
import os
import platform
import struct
from collections.abc import Sequence

from accsearch.sandbox import libc
from accsearch.sandbox.syscalls import (
    ABSENT,
    FAMILIES_TRIED,
    IGNORED,
    NUMBERS,
    OF_PROCESS,
    REFUSED,
    REFUSED_QUIETLY,
    TIMES,
    UNSUPPORTED,
)

SET_MODE_FILTER, NEW_LISTENER = 1, 8
KILL_PROCESS, ALLOW, ASK = 0x80000000, 0x7FFF0000, 0x7FC00000
"""End the process; let the call be made; let the process at the listener answer, which notes it."""

REFUSE, NOT_THERE, NO_ATTRIBUTES = 0x00050000 | 1, 0x00050000 | 38, 0x00050000 | 95
NO_EFFECT, NOBODY_LISTENS = 0x00050000, 0x00050000 | 111
"""Return EPERM, ENOSYS, EOPNOTSUPP; return 0 and do nothing; return ECONNREFUSED."""

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
WATCH_FOLDER, SET_LEASE = 1026, 1024
"""Commands of fcntl on a file opened for reading: they report what happens in it, and delay whoever opens it."""

UNIX, TYPE_BITS, CONNECTED_TYPES = 1, 0xF, (1, 5)
"""SOCK_STREAM and SOCK_SEQPACKET; a pair of datagram sockets could be connected anew, to one of the host's."""

TRUNCATES, ACCESS = 0o1000, 0o3
PRIORITY_OF_PROCESS, IO_PRIORITY_OF_PROCESS = 0, 1

Steps = list[bytes]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def supported() -> bool:
    """Say whether the system call numbers of this machine are known."""
    return platform.machine() in NUMBERS


def restrict(*, truncation: bool = False, listening: bool = False) -> int | None:
    """Install the filter for this process and its descendants; with `truncation` it also refuses to empty files.

    `listening` lets it wait at Unix sockets to which nothing in the sandbox can connect: CUDA does not start without.
    Returns the listener, a descriptor at which refused calls can be noted (`forbidden_calls.py`), or None where the
    kernel or the container gives none: then they are refused all the same. Needs no_new_privs. Raises OSError.
    """
    machine, pid = platform.machine(), os.getpid()
    try:
        program = build(machine, pid, truncation=truncation, listening=listening, noted=True)
        return _install(program, NEW_LISTENER)
    except OSError:
        _install(build(machine, pid, truncation=truncation, listening=listening), 0)
        return None


def _install(program: bytes, flags: int) -> int:
    buffer = ctypes.create_string_buffer(program)
    header = _Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    number = NUMBERS[platform.machine()]["seccomp"]
    return libc.syscall(number, SET_MODE_FILTER, flags, ctypes.byref(header))


def build(
    machine: str, pid: int, *, truncation: bool = False, listening: bool = False, noted: bool = False
) -> bytes:
    """Return the filter for a process of `machine` as 8-byte instructions; `noted` calls go to the listener."""
    numbers = NUMBERS[machine]
    refuse = _step(RETURN, ASK if noted else REFUSE)
    steps = [
        _step(LOAD, ARCHITECTURE),
        _step(JUMP_EQUAL, ARCHITECTURES[machine], 1, 0),
        _step(RETURN, ASK if noted else KILL_PROCESS),
        _step(LOAD, NUMBER),
        # Numbers of the x32 interface would reach the same calls under other names.
        _step(JUMP_AT_LEAST, X32, 0, 1),
        refuse,
    ]
    answers = dict.fromkeys(REFUSED_QUIETLY, REFUSE) | dict.fromkeys(ABSENT, NOT_THERE)
    answers |= dict.fromkeys(UNSUPPORTED, NO_ATTRIBUTES)
    judged = {name: [_step(RETURN, answer)] for name, answer in answers.items()}
    judged |= {name: [refuse] for name in REFUSED}
    judged |= _sockets(refuse)
    if listening:
        judged |= _listening()
    # Landlock has no say in who owns a file, its mode, times and attributes: a user could change those of
    # every file of theirs. Only what the standard library calls on copies of its own gets no error.
    judged |= {name: [_step(RETURN, NO_EFFECT)] for name in IGNORED}
    judged |= {name: _times(*places) for name, places in TIMES.items()}
    judged |= {name: _own_process(name, place, pid) for name, place in OF_PROCESS.items()}
    judged["ioctl"] = _unless(1, ATTRIBUTES)
    judged["fcntl"] = _unless(1, (WATCH_FOLDER, SET_LEASE))
    # A process that cannot be looked into hides the files that it holds open from the watch on disk.
    judged["prctl"] = _unless(0, (SET_DUMPABLE,))
    judged["clone"] = [
        _load(0),
        _step(JUMP_SET, NEW_NAMESPACE, 0, 1),
        refuse,
        _step(RETURN, ALLOW),
    ]
    if truncation:
        judged |= _truncation()
    for name, block in judged.items():
        if name in numbers:
            steps += [_step(JUMP_EQUAL, numbers[name], 0, len(block)), *block]
    return b"".join([*steps, _step(RETURN, ALLOW)])


def _sockets(refuse: bytes) -> dict[str, Steps]:
    """Allow pairs that stay connected, and refuse what takes an address.

    The address of sendmsg is in memory, where a filter cannot look; these pairs have no use for one.
    """
    tried = [
        _step(JUMP_EQUAL, each, len(FAMILIES_TRIED) - place, 0) for place, each in enumerate(FAMILIES_TRIED)
    ]
    return {
        "socket": [_load(0), *tried, refuse, _step(RETURN, REFUSE)],
        "socketpair": _of_connected_type(refuse),
        "sendto": [
            _load(4),
            _step(JUMP_EQUAL, 0, 0, 2),
            _load(4, upper=True),
            _step(JUMP_EQUAL, 0, 1, 0),
            refuse,
            _step(RETURN, ALLOW),
        ],
    }


def _listening() -> dict[str, Steps]:
    """Allow sockets that wait for a connection, which never comes: CUDA opens one for each process it runs in.

    It also asks whether there is a server (MPS) that shares the GPU.
    """
    allow = [_step(RETURN, ALLOW)]
    return {
        "socket": _of_connected_type(_step(RETURN, REFUSE)),
        "connect": [_step(RETURN, NOBODY_LISTENS)],
        **dict.fromkeys(("bind", "listen", "accept", "accept4"), allow),
    }


def _of_connected_type(refuse: bytes) -> Steps:
    """Allow Unix sockets of the types that are connected to one other end."""
    return [
        _load(0),
        _step(JUMP_EQUAL, UNIX, 0, 4),
        _load(1),
        _step(AND, TYPE_BITS),
        *(_step(JUMP_EQUAL, each, 2 - place, 0) for place, each in enumerate(CONNECTED_TYPES)),
        refuse,
        _step(RETURN, ALLOW),
    ]


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


def _load(argument: int, *, upper: bool = False) -> bytes:
    """Load the lower half of an argument: all that the kernel takes of numbers and flags, or the upper one.

    Of the addresses of times the lower one is enough too: where it is 0 by chance, the call is refused or does
    nothing all the same.
    """
    return _step(LOAD, ARGUMENTS + 8 * argument + 4 * upper)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)
