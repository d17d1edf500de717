"""What native code may try in a sandbox, at every level: nothing passes, and what no library does is noted."""

import errno
import os
import platform
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sandbox.sandboxed import ISOLATED, PIPE, load

from accsearch.sandbox.rules import Level
from accsearch.sandbox.syscalls import NUMBERS

pytestmark = pytest.mark.skipif(not ISOLATED, reason="this kernel offers no isolation")

ATTEMPTS = {
    "socketpair": ("1, 2, 0, room", "system call: socketpair of type 2"),
    "connect": ("3, room, 16", "system call: connect"),
    "bind": ("3, room, 16", "system call: bind"),
    "listen": ("3, 1", "system call: listen"),
    "accept4": ("3, 0, 0, 0", "system call: accept4"),
    "sendto": ("3, room, 1, 0, room, 16", "system call: sendto"),
    "socket": ("40, 1, 0", "system call: socket of family 40"),
    "ptrace": ("16, parent, 0, 0", "system call: ptrace"),
    "process_vm_readv": ("parent, room, 1, room, 1, 0", "system call: process_vm_readv"),
    "pidfd_getfd": ("0, 0, 0", "system call: pidfd_getfd"),
    "open_by_handle_at": ("-100, room, 0", "system call: open_by_handle_at"),
    "userfaultfd": ("0", "system call: userfaultfd"),
    "bpf": ("0, room, 8", "system call: bpf"),
    "keyctl": ("0, -3, 0", "system call: keyctl"),
    "add_key": ("room, room, 0, 0, -3", "system call: add_key"),
    "seccomp": ("1, 8, room", "system call: seccomp"),
    "syslog": ("10, 0, 0", "system call: syslog"),
    "mount": ("room, room, room, 0, 0", "system call: mount"),
    "setns": ("3, 0", "system call: setns"),
    "unshare": ("0x10000000", "system call: unshare"),
}
"""Arguments of a call, and the note on it."""

SILENT = {
    "io_uring_setup": ("1, room", errno.EPERM),
    "perf_event_open": ("room, 0, -1, -1, 0", errno.EPERM),
    "shmget": ("1, 4096, 0", errno.EPERM),
    "memfd_create": ("room, 0", errno.ENOSYS),
    "inotify_init1": ("0", errno.ENOSYS),
    "fanotify_init": ("0, 0", errno.ENOSYS),
    "fcntl": ("folder, 1026, 1", errno.EPERM),
}

PROGRAM = """
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    room = ctypes.create_string_buffer(4096)
    parent = {parent}
    folder = os.open("/usr", os.O_RDONLY)
    wrong = []
    def call(name, number, expected, *arguments):
        wide = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
        result = libc.syscall(ctypes.c_long(number), *wide)
        if result != -1 or ctypes.get_errno() != expected:
            wrong.append((name, result, ctypes.get_errno()))
{calls}
    assert not wrong, wrong
"""


def program(calls: dict[str, tuple[str, int]]) -> str:
    numbers = NUMBERS[platform.machine()]
    lines = [
        f"    call({name!r}, {numbers[name]}, {expected}, {arguments})"
        for name, (arguments, expected) in calls.items()
    ]
    return PROGRAM.format(parent=os.getpid(), calls="\n".join(lines)) + f"    {PIPE}"


@pytest.fixture
def host() -> Iterator[socket.socket]:
    """Yield a datagram socket to which any user may send, as to /dev/log."""
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound,
    ):
        Path(folder).chmod(0o777)
        bound.bind(f"{folder}/log")
        Path(f"{folder}/log").chmod(0o777)
        bound.settimeout(0.1)
        yield bound


@pytest.mark.parametrize("level", ISOLATED)
def test_calls_that_no_library_makes_are_refused_and_noted(level: Level) -> None:
    source = program({name: (arguments, errno.EPERM) for name, (arguments, _) in ATTEMPTS.items()})
    verdict, error, notes = load(source, level)
    assert (verdict, error) == ("loaded", "")
    assert sorted(notes) == sorted(note for _, note in ATTEMPTS.values())


@pytest.mark.parametrize("level", ISOLATED)
def test_calls_that_libraries_make_are_refused_without_a_note(level: Level) -> None:
    assert load(program(SILENT), level) == ("loaded", "", [])


@pytest.mark.parametrize("level", ISOLATED)
def test_nothing_reaches_a_socket_of_the_host(level: Level, host: socket.socket) -> None:
    source = f"""
        import ctypes, socket
        address = {host.getsockname()!r}
        libc = ctypes.CDLL(None, use_errno=True)
        room = (ctypes.c_int * 2)()
        name = (1).to_bytes(2, "little") + address.encode()
        for kind in (1, 2, 3, 5):
            if libc.socketpair(1, kind, 0, room) == 0:
                libc.connect(room[0], name, len(name))
                libc.send(room[0], b"out", 3, 0)
                libc.sendto(room[0], b"out", 3, 0, name, len(name))
                try:
                    socket.socket(fileno=room[0]).sendmsg([b"out"], [], 0, address)
                except OSError:
                    pass
        {PIPE}
    """
    verdict, error, notes = load(source, level)
    assert (verdict, error) == ("loaded", "")
    with pytest.raises(TimeoutError):
        host.recv(16)
    assert {"system call: socketpair of type 2", "system call: connect", "system call: sendto"} <= set(notes)


@pytest.mark.parametrize("level", ISOLATED)
def test_a_system_log_cannot_be_written_to(level: Level, host: socket.socket) -> None:
    source = f"""
        import logging.handlers
        try:
            logging.handlers.SysLogHandler({host.getsockname()!r})
        except OSError:
            pass
        {PIPE}
    """
    assert load(source, level) == ("loaded", "", ["network: socket"])
    with pytest.raises(TimeoutError):
        host.recv(16)


def test_a_function_that_opens_a_socket_is_noted_when_it_is_looked_up() -> None:
    source = f"""
        import ctypes
        assert ctypes.CDLL(None).socket(2, 2, 0) == -1
        {PIPE}
    """
    assert load(source, ISOLATED[0]) == ("loaded", "", ["native: socket"])


def test_what_another_program_tries_is_noted_too() -> None:
    number = NUMBERS[platform.machine()]["connect"]
    source = f"""
        import os
        child = os.fork()
        if child == 0:
            import ctypes
            ctypes.CDLL(None).syscall({number}, 0, 0, 0)
            os._exit(0)
        os.waitpid(child, 0)
        {PIPE}
    """
    assert load(source, ISOLATED[0]) == ("loaded", "", ["system call: connect"])


OTHER_INTERFACES = {
    # mov eax, 359 (socket of i386); int 0x80; ret
    "i386": ("b867010000cd80c3", "system call: 359 of another interface"),
    # mov eax, 0x40000029 (socket of x32); syscall; ret
    "x32": ("b8290000400f05c3", "system call: 41 of another interface"),
}


@pytest.mark.parametrize("interface", OTHER_INTERFACES if platform.machine() == "x86_64" else [])
def test_another_interface_of_the_processor_is_no_way_round(interface: str) -> None:
    code, note = OTHER_INTERFACES[interface]
    source = f"""
        import ctypes, mmap
        room = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        room.write(bytes.fromhex("{code}"))
        function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(room)))
        assert function() == -{errno.EPERM}
        {PIPE}
    """
    assert load(source, ISOLATED[0]) == ("loaded", "", [note])


@pytest.mark.parametrize("level", ISOLATED)
def test_pairs_serve_what_a_program_does_with_itself(level: Level) -> None:
    source = f"""
        import asyncio, multiprocessing, os, socket
        for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
            one, other = socket.socketpair(socket.AF_UNIX, kind)
            reading, writing = os.pipe()
            socket.send_fds(one, [b"x"], [reading])
            os.write(writing, b"through")
            assert os.read(socket.recv_fds(other, 1, 1)[1][0], 16) == b"through"
        ours, theirs = multiprocessing.Pipe()
        def work():
            theirs.send("done")
        worker = multiprocessing.get_context("fork").Process(target=work)
        worker.start()
        assert ours.recv() == "done"
        worker.join()
        assert asyncio.run(asyncio.sleep(0, "slept")) == "slept"
        {PIPE}
    """
    assert load(source, level) == ("loaded", "", [])


def test_thousands_of_refused_calls_are_one_note() -> None:
    number = NUMBERS[platform.machine()]["connect"]
    source = f"""
        import ctypes
        libc = ctypes.CDLL(None)
        for _ in range(5000):
            libc.syscall({number}, 0, 0, 0)
        {PIPE}
    """
    assert load(source, ISOLATED[0]) == ("loaded", "", ["system call: connect"])


def test_a_program_that_is_ended_within_a_refused_call_is_gone() -> None:
    number = NUMBERS[platform.machine()]["connect"]
    source = f"""
        import ctypes, os, threading
        libc = ctypes.CDLL(None)
        def work():
            while True:
                libc.syscall({number}, 0, 0, 0)
        for _ in range(4):
            threading.Thread(target=work, daemon=True).start()
        os.close(0)
        raise ValueError("enough")
    """
    verdict, error, notes = load(source, ISOLATED[0])
    assert (verdict, notes) == ("failed", ["system call: connect"])
    assert "enough" in error
