"""What a sandboxed program can do to files and processes of its own user where no namespace hides them."""

import ctypes
import os
import resource
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accsearch.sandbox import landlock, libc, seccomp
from accsearch.sandbox.forbidden_calls import Attempts, hand_out

USER = 54_321
pytestmark = [
    pytest.mark.skipif(
        not landlock.version() or not seccomp.supported(), reason="this kernel has no landlock"
    ),
    # The child does nothing but system calls.
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Yield a folder of the unprivileged user's, with `scratch` and a file beside it."""
    with tempfile.TemporaryDirectory(prefix="accsearch-test-") as name:
        place = Path(name).resolve()
        (place / "scratch").mkdir()
        (place / "outside").write_text("as it was", encoding="utf-8")
        (place / "outside").chmod(0o600)
        os.utime(place / "outside", (1_000_000, 1_000_000))
        if os.geteuid() == 0:
            for path in (place, *place.iterdir()):
                os.chown(path, USER, USER)
        yield place


def sandboxed(folder: Path, attempt: Callable[[], object], *, truncation: bool = False) -> str:
    """Run `attempt` as an unprivileged user in landlock and the filter, without any namespace.

    Returns "" or the error.
    """
    return noted(folder, attempt, truncation=truncation)[0]


def noted(
    folder: Path, attempt: Callable[[], object], *, truncation: bool = False, listening: bool = False
) -> tuple[str, list[str]]:
    """Do what `sandboxed` does; return the notes of refused calls too."""
    read, write = os.pipe()
    attempts = Attempts()
    theirs = os.dup(attempts.theirs)
    child = os.fork()
    if child == 0:
        said = ""
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(USER, USER, USER)
                os.setresuid(USER, USER, USER)
            libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
            landlock.restrict(["/usr", str(folder / "outside")], [], str(folder / "scratch"))
            hand_out(theirs, seccomp.restrict(truncation=truncation, listening=listening))
            attempt()
        # Nothing may come out of the forked test.
        except BaseException as error:  # noqa: BLE001
            said = f"{type(error).__name__}: {error}"
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    os.close(theirs)
    attempts.start()
    os.waitpid(child, 0)
    attempts.close()
    with os.fdopen(read, encoding="utf-8") as pipe:
        return pipe.read(), list(attempts.seen)


def fchmod(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.fchmod(descriptor, 0o777)


def set_flags(path: Path) -> None:
    import fcntl

    # The file is not to be dumped.
    fcntl.ioctl(os.open(path, os.O_RDONLY), 0x40086602, (0x40).to_bytes(8, "little"))


@pytest.mark.parametrize(
    "attempt",
    [
        lambda path: path.chmod(0o777),
        fchmod,
        lambda path: os.chown(path, USER, USER),
        lambda path: os.utime(path, (5, 5)),
        lambda path: os.utime(path),
        lambda path: path.touch(),
        lambda path: os.setxattr(path, "user.mark", b"x"),
        set_flags,
    ],
    ids=["chmod", "fchmod", "chown", "utime", "utime-now", "touch", "setxattr", "flags"],
)
def test_metadata_of_files_outside_stay(folder: Path, attempt: Callable[[Path], object]) -> None:
    outside = folder / "outside"
    before = outside.stat()
    sandboxed(folder, lambda: attempt(outside))
    after = outside.stat()
    names = ("st_mode", "st_uid", "st_gid", "st_mtime_ns", "st_ctime_ns")
    assert [getattr(after, name) for name in names] == [getattr(before, name) for name in names]


def test_copies_and_new_files_in_scratch_are_as_ever(folder: Path) -> None:
    import shutil

    scratch = folder / "scratch"

    def work() -> None:
        shutil.copy2(folder / "outside", scratch / "copy")
        (scratch / "below").mkdir()
        shutil.copytree(scratch / "below", scratch / "tree")
        (scratch / "new").touch()
        (scratch / "new").touch()
        assert (scratch / "new").exists()
        with tempfile.NamedTemporaryFile(dir=scratch) as file:
            os.fchmod(file.fileno(), 0o644)

    assert sandboxed(folder, work) == ""


@pytest.mark.parametrize(
    "attempt",
    [
        lambda pid: os.sched_setaffinity(pid, {0}),
        lambda pid: os.setpriority(os.PRIO_PROCESS, pid, 19),
        lambda pid: os.setpriority(os.PRIO_USER, 0, 19),
        lambda pid: os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0)),
        lambda pid: os.sched_setparam(pid, os.sched_param(0)),
        lambda pid: resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0)),
        lambda pid: libc.syscall(
            seccomp.NUMBERS[os.uname().machine]["ioprio_set"], 1, pid, 3 << 13, ctypes.c_long(0)
        ),
        lambda pid: os.kill(pid, signal.SIGTERM),
    ],
    ids=["affinity", "priority", "user", "scheduler", "parameters", "limits", "disk", "signal"],
)
def test_another_process_of_the_user_is_left_alone(folder: Path, attempt: Callable[[int], object]) -> None:
    who = {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "60"], **who) as other:  # type: ignore[call-overload]
        try:
            said = sandboxed(folder, lambda: attempt(other.pid))
            assert other.poll() is None
            assert os.getpriority(os.PRIO_PROCESS, other.pid) == os.getpriority(os.PRIO_PROCESS, 0)
        finally:
            other.kill()
    assert said.startswith("PermissionError")


def test_a_program_may_still_arrange_itself(folder: Path) -> None:
    def work() -> None:
        os.sched_setaffinity(0, os.sched_getaffinity(0))
        os.sched_setaffinity(os.getpid(), os.sched_getaffinity(0))
        os.nice(1)
        resource.prlimit(os.getpid(), resource.RLIMIT_CORE, (0, 0))

    assert sandboxed(folder, work) == ""


@pytest.mark.parametrize(
    "attempt",
    [
        lambda path: os.truncate(path, 0),
        lambda path: os.open(path, os.O_RDONLY | os.O_TRUNC),
        lambda path: os.open(path, 3 | os.O_TRUNC),
        lambda path: os.open(path, os.O_WRONLY | os.O_TRUNC),
    ],
    ids=["truncate", "open-read", "open-neither", "open-write"],
)
def test_older_landlock_empties_no_file(
    folder: Path, attempt: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 2)
    outside = folder / "outside"
    said = sandboxed(folder, lambda: attempt(outside), truncation=True)
    assert outside.read_text(encoding="utf-8") == "as it was"
    assert said.startswith("PermissionError")


def test_no_memory_is_had_as_a_file(folder: Path) -> None:
    assert sandboxed(folder, lambda: os.memfd_create("hidden")).startswith("OSError")


def datagrams(name: str) -> socket.socket:
    """Return a socket of the host's that anyone may send to."""
    host = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    host.settimeout(0.1)
    host.bind(name)
    if not name.startswith("\0"):
        Path(name).chmod(0o777)
    return host


def reconnected(name: str) -> None:
    one, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.connect(name)
    one.send(b"out")


def addressed(name: str) -> None:
    one, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.sendmsg([b"out"], [], 0, name)


def addressed_stream(name: str) -> None:
    one, _ = socket.socketpair()
    one.sendmsg([b"out"], [], 0, name)


def addressed_packet(name: str) -> None:
    one, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    one.sendmsg([b"out"], [], 0, name)


@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
@pytest.mark.parametrize("send", [reconnected, addressed, addressed_stream, addressed_packet])
def test_no_pair_reaches_a_socket_of_the_host(
    folder: Path, send: Callable[[str], None], abstract: bool
) -> None:
    name = f"\0{folder}" if abstract else str(folder / "scratch" / "socket")
    with datagrams(name) as host:
        said, notes = noted(folder, lambda: send(name))
        with pytest.raises(TimeoutError):
            host.recv(16)
    if send in (reconnected, addressed):
        assert said.startswith("PermissionError")
        assert notes == ["system call: socketpair of type 2"]


def test_without_a_listener_calls_are_refused_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A flag that no kernel knows, as none knew that of the listener before 5.0.
    monkeypatch.setattr(seccomp, "NEW_LISTENER", 1 << 30)
    said, notes = noted(folder, lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
    assert said.startswith("PermissionError")
    assert notes == []


def test_no_one_watches_files_outside(folder: Path) -> None:
    def watch() -> None:
        libc.call("inotify_init1", 0)

    assert sandboxed(folder, watch).startswith("OSError: [Errno 38]")


def test_attributes_of_files_outside_are_not_read(folder: Path) -> None:
    os.setxattr(folder / "outside", "user.mark", b"secret")
    assert "[Errno 95]" in sandboxed(folder, lambda: os.getxattr(folder / "outside", "user.mark"))
    assert "[Errno 95]" in sandboxed(folder, lambda: os.listxattr(folder / "outside"))


@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_SEQPACKET])
def test_beside_a_gpu_no_socket_reaches_the_host(folder: Path, kind: int, abstract: bool) -> None:
    name = f"\0{folder}" if abstract else str(folder / "scratch" / "socket")

    def reach() -> None:
        with socket.socket(socket.AF_UNIX, kind) as waiting:
            waiting.bind(str(folder / "scratch" / "own"))
            waiting.listen()
        for send in (lambda one: one.connect(name), lambda one: one.sendmsg([b"out"], [], 0, name)):
            with socket.socket(socket.AF_UNIX, kind) as one:
                try:
                    send(one)
                except OSError:
                    continue
                raise AssertionError("it reached the host")

    with socket.socket(socket.AF_UNIX, kind) as host:
        host.bind(name)
        host.listen()
        host.settimeout(0.1)
        if not abstract:
            Path(name).chmod(0o777)
        assert noted(folder, reach, listening=True) == ("", [])
        with pytest.raises(TimeoutError):
            host.accept()
