"""The sandbox itself: levels, what it hides, what it hands over."""

import os
import platform
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from tests.sandbox.sandboxed import ISOLATED, LIMITS, PIPE, load, running

from accsearch.codeeval.objects import compare_objects
from accsearch.errors import UsageError
from accsearch.process_tree import descendants
from accsearch.sandbox import bubblewrap, landlock, levels, privileges, seccomp
from accsearch.sandbox.client import ReadableModels, open_client
from accsearch.sandbox.limits import processor_seconds
from accsearch.sandbox.process import SandboxProcess
from accsearch.sandbox.processes import end_all
from accsearch.sandbox.roots import devices, environment, readable
from accsearch.sandbox.rules import MIB, Level, Limits, Rules
from accsearch.sandbox.scratch import link_models, scratch_folder, size_of
from accsearch.sandbox.start import NOT_BUILT
from accsearch.sandbox.syscalls import (
    ABSENT,
    IGNORED,
    NUMBERS,
    OF_PROCESS,
    REFUSED,
    REFUSED_QUIETLY,
    TIMES,
    UNSUPPORTED,
)
from accsearch.sandbox.usage import deleted_files, memory_of


def test_an_unknown_level_is_a_mistake_of_usage() -> None:
    with pytest.raises(UsageError, match="allowed auto, landlock, bubblewrap, unshare, none"):
        levels.choose("jail")


def test_a_missing_level_is_refused_and_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "PROGRAM", "no-such-program")
    levels.missing.cache_clear()
    try:
        with pytest.raises(UsageError, match="bwrap is not installed"):
            levels.choose("bubblewrap")
    finally:
        levels.missing.cache_clear()


def test_auto_takes_the_strongest_level_and_never_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "missing", lambda level: None if level is Level.UNSHARE else "absent")
    assert levels.choose("auto") is Level.UNSHARE
    monkeypatch.setattr(levels, "missing", lambda level: "absent")
    with pytest.raises(UsageError, match="--isolation none"):
        levels.choose("auto")


def test_none_has_to_be_asked_for() -> None:
    assert levels.choose("none") is Level.NONE


def test_rules_survive_the_way_to_the_launcher() -> None:
    rules = Rules(Level.LANDLOCK, "/scratch", ("/usr",), ("/dev/null",), (("A", "b"),), Limits(memory=None))
    assert Rules.from_json(rules.to_json()) == rules


def test_what_lies_beside_the_roots_is_hidden(tmp_path: Path) -> None:
    rules = Rules(Level.LANDLOCK, str(tmp_path / "scratch"), readable())
    assert rules.hides(tmp_path / "reference.py")
    assert not rules.hides(tmp_path / "scratch" / "generated.py")
    assert not rules.hides(Path(sys.executable))
    assert rules.hides(Path(__file__))


def test_the_roots_hold_no_home_and_no_secret_file() -> None:
    roots = readable()
    assert str(Path.home()) not in roots
    assert "/" not in roots
    assert not {"/etc", "/etc/shadow", "/root", "/home", "/tmp"} & set(roots)
    assert "/dev/null" in devices()


def test_the_environment_is_made_up_not_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-1")
    values = dict(environment(tmp_path, {"HF_HUB_CACHE": "/hub"}))
    assert "AWS_SECRET_ACCESS_KEY" not in values
    assert values["CUDA_VISIBLE_DEVICES"] == "GPU-1"
    assert values["HF_HUB_OFFLINE"] == "1"
    assert values["HOME"] == str(tmp_path / "home")


def test_hub_ids_lead_to_folders(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    cached = tmp_path / "models--a--b"
    (cached / "snapshots").mkdir(parents=True)
    with scratch_folder() as scratch:
        link_models(scratch, {"accsearch/demo": weights, "a/b": cached})
        entry = scratch / "hub" / "models--accsearch--demo"
        revision = (entry / "refs" / "main").read_text(encoding="ascii")
        assert (entry / "snapshots" / revision).resolve() == weights.resolve()
        assert (scratch / "hub" / "models--a--b").resolve() == cached.resolve()
    assert not scratch.exists()
    assert weights.exists()


def test_the_size_of_a_folder_stops_at_the_limit(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file").write_bytes(b"x" * 100_000)
    assert size_of(tmp_path, 1 << 30) >= 100_000
    assert size_of(tmp_path, 10) > 10


def test_an_older_kernel_gets_only_the_rights_it_knows() -> None:
    assert landlock.handled_files(1) == landlock.FIRST_VERSION
    assert not landlock.handled_files(2) & landlock.TRUNCATE
    assert landlock.handled_files(7) & landlock.IOCTL_DEVICE


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_ends_in_a_verdict_on_every_way(machine: str) -> None:
    program = [struct.unpack("<HBBI", part) for part in _parts(seccomp.build(machine, 77, truncation=True))]
    for number, (code, if_true, if_false, _) in enumerate(program):
        if code in (seccomp.JUMP_EQUAL, seccomp.JUMP_AT_LEAST, seccomp.JUMP_SET):
            assert number + 1 + max(if_true, if_false) < len(program)
    assert program[-1][0] == seccomp.RETURN
    assert len(program) < 4096


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize(
    ("name", "arguments", "verdict"),
    [
        ("socket", (), seccomp.REFUSE),
        ("ptrace", (), seccomp.REFUSE),
        ("shmat", (), seccomp.REFUSE),
        ("connect", (), seccomp.REFUSE),
        ("bind", (), seccomp.REFUSE),
        ("accept", (), seccomp.REFUSE),
        ("socketpair", (1, 1), seccomp.ALLOW),
        ("socketpair", (1, 5 | 0o2000000), seccomp.ALLOW),
        ("socketpair", (1, 2), seccomp.REFUSE),
        ("socketpair", (1, 2 | 0o2004000), seccomp.REFUSE),
        ("socketpair", (1, 3), seccomp.REFUSE),
        ("socketpair", (2, 1), seccomp.REFUSE),
        ("sendto", (3, 0x1000, 1, 0, 0, 0), seccomp.ALLOW),
        ("sendto", (3, 0x1000, 1, 0, 0x1000, 16), seccomp.REFUSE),
        ("sendto", (3, 0x1000, 1, 0, 0x7F00_0000_0000, 16), seccomp.REFUSE),
        ("inotify_add_watch", (), seccomp.NOT_THERE),
        ("getxattr", (), seccomp.NO_ATTRIBUTES),
        ("fcntl", (3, 1026), seccomp.REFUSE),
        ("fcntl", (3, 4), seccomp.ALLOW),
        ("clone3", (), seccomp.NOT_THERE),
        ("memfd_create", (), seccomp.NOT_THERE),
        ("clone", (0x10000000,), seccomp.REFUSE),
        ("clone", (0x003D0F00,), seccomp.ALLOW),
        ("fchmodat", (), seccomp.NO_EFFECT),
        ("fchownat", (), seccomp.REFUSE),
        ("setxattr", (), seccomp.REFUSE),
        ("utimensat", (3, 0x1000, 0x2000), seccomp.NO_EFFECT),
        ("utimensat", (3, 0, 0), seccomp.NO_EFFECT),
        ("utimensat", (3, 0x1000, 0), seccomp.REFUSE),
        ("ioctl", (3, 0x40086602), seccomp.REFUSE),
        ("ioctl", (3, 0x5401), seccomp.ALLOW),
        ("prctl", (4,), seccomp.REFUSE),
        ("prctl", (15,), seccomp.ALLOW),
        ("prlimit64", (0,), seccomp.ALLOW),
        ("prlimit64", (77,), seccomp.ALLOW),
        ("prlimit64", (1234,), seccomp.REFUSE),
        ("sched_setaffinity", (0,), seccomp.ALLOW),
        ("sched_setaffinity", (1234,), seccomp.REFUSE),
        ("setpriority", (0, 77), seccomp.ALLOW),
        ("setpriority", (0, 1234), seccomp.REFUSE),
        # Those of the whole user.
        ("setpriority", (2, 0), seccomp.REFUSE),
        ("ioprio_set", (1, 0), seccomp.ALLOW),
        ("ioprio_set", (3, 0), seccomp.REFUSE),
        ("openat", (3, 0x1000, os.O_RDONLY | os.O_TRUNC), seccomp.ALLOW),
    ],
)
def test_the_filter_judges_calls(machine: str, name: str, arguments: tuple[int, ...], verdict: int) -> None:
    program = seccomp.build(machine, 77)
    assert _run(program, machine, NUMBERS[machine][name], *arguments) == verdict


@pytest.mark.parametrize(
    ("name", "arguments", "verdict"),
    [
        ("connect", (), seccomp.ASK),
        ("socketpair", (1, 2), seccomp.ASK),
        ("socketpair", (1, 1), seccomp.ALLOW),
        ("sendto", (3, 0x1000, 1, 0, 0x1000, 16), seccomp.ASK),
        ("clone", (0x10000000,), seccomp.ASK),
        ("socket", (40,), seccomp.ASK),
        # Libraries open these to see what there is.
        ("socket", (10,), seccomp.REFUSE),
        ("setxattr", (), seccomp.REFUSE),
    ],
)
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_what_no_library_calls_is_noted(
    machine: str, name: str, arguments: tuple[int, ...], verdict: int
) -> None:
    program = seccomp.build(machine, 77, noted=True)
    assert _run(program, machine, NUMBERS[machine][name], *arguments) == verdict


@pytest.mark.parametrize(
    ("name", "arguments", "verdict"),
    [
        ("socket", (1, 1), seccomp.ALLOW),
        ("socket", (1, 5 | 0o2000000), seccomp.ALLOW),
        ("socket", (1, 2), seccomp.REFUSE),
        ("socket", (2, 1), seccomp.REFUSE),
        ("socket", (40, 1), seccomp.REFUSE),
        ("bind", (), seccomp.ALLOW),
        ("listen", (), seccomp.ALLOW),
        ("connect", (), seccomp.NOBODY_LISTENS),
        ("socketpair", (1, 2), seccomp.ASK),
        ("sendto", (3, 0x1000, 1, 0, 0x1000, 16), seccomp.ASK),
    ],
)
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_beside_a_gpu_sockets_may_wait_and_not_connect(
    machine: str, name: str, arguments: tuple[int, ...], verdict: int
) -> None:
    program = seccomp.build(machine, 77, listening=True, noted=True)
    assert _run(program, machine, NUMBERS[machine][name], *arguments) == verdict


def test_every_call_that_is_judged_has_a_number() -> None:
    judged = {*REFUSED, *REFUSED_QUIETLY, *UNSUPPORTED, *ABSENT, *IGNORED, *TIMES, *OF_PROCESS}
    judged |= seccomp._sockets(b"").keys()
    old = {"chmod", "chown", "lchown", "utime", "utimes", "futimesat", "inotify_init"}
    assert judged - NUMBERS["x86_64"].keys() == set()
    assert judged - NUMBERS["aarch64"].keys() == old


@pytest.mark.parametrize(
    ("name", "arguments", "verdict"),
    [
        ("truncate", (), seccomp.REFUSE),
        ("openat2", (), seccomp.NOT_THERE),
        ("openat", (3, 0x1000, os.O_RDONLY | os.O_TRUNC), seccomp.REFUSE),
        ("openat", (3, 0x1000, 3 | os.O_TRUNC), seccomp.REFUSE),
        # Landlock refuses these two itself.
        ("openat", (3, 0x1000, os.O_WRONLY | os.O_TRUNC), seccomp.ALLOW),
        ("open", (0x1000, os.O_RDWR | os.O_TRUNC), seccomp.ALLOW),
        ("openat", (3, 0x1000, os.O_RDONLY), seccomp.ALLOW),
    ],
)
def test_the_filter_knows_truncation(name: str, arguments: tuple[int, ...], verdict: int) -> None:
    program = seccomp.build("x86_64", 77, truncation=True)
    assert _run(program, "x86_64", NUMBERS["x86_64"][name], *arguments) == verdict


def test_the_filter_knows_one_interface_of_one_processor() -> None:
    program = seccomp.build("x86_64", 77)
    assert _run(program, "x86_64", 0x40000000 + 41) == seccomp.REFUSE
    assert _run(program, "x86_64", 500) == seccomp.ALLOW
    assert _run(program, "aarch64", 1) == seccomp.KILL_PROCESS


def _parts(program: bytes) -> list[bytes]:
    return [program[start : start + 8] for start in range(0, len(program), 8)]


def _run(program: bytes, machine: str, number: int, *arguments: int) -> int:
    """Interpret a filter as the kernel does."""
    words = {seccomp.NUMBER: number, seccomp.ARCHITECTURE: seccomp.ARCHITECTURES[machine]}
    for place, argument in enumerate((*arguments, *[0] * 6)[:6]):
        words[seccomp.ARGUMENTS + 8 * place] = argument & 0xFFFFFFFF
        words[seccomp.ARGUMENTS + 8 * place + 4] = argument >> 32
    steps = [struct.unpack("<HBBI", part) for part in _parts(program)]
    held, position = 0, 0
    while True:
        code, if_true, if_false, value = steps[position]
        position += 1
        if code == seccomp.RETURN:
            return int(value)
        if code == seccomp.LOAD:
            held = words[value]
            continue
        if code == seccomp.AND:
            held &= value
            continue
        taken = {
            seccomp.JUMP_EQUAL: held == value,
            seccomp.JUMP_AT_LEAST: held >= value,
            seccomp.JUMP_SET: bool(held & value),
        }[code]
        position += if_true if taken else if_false


def test_all_descendants_are_found_and_ended() -> None:
    script = (
        "import subprocess, sys, time; "
        "subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'], start_new_session=True); "
        "print('ready', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-S", "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        below = descendants(parent.pid)
        assert len(below) == 1
        end_all(lambda: [parent.pid, *below] if descendants(os.getpid()) else [])
        parent.wait()


@pytest.mark.parametrize("level", ISOLATED)
def test_the_sandbox_lets_a_program_work(level: Level) -> None:
    source = f"""
        import json, multiprocessing, os, subprocess, sys, tempfile, threading
        with tempfile.TemporaryFile() as file:
            file.write(b"x")
        with subprocess.Popen([sys.executable, "-I", "-c", "print(1)"], stdout=subprocess.PIPE) as child:
            assert child.stdout.read() == b"1\\n"
        threads = [threading.Thread(target=os.getpid) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert os.environ["HOME"].startswith(os.getcwd())
        assert os.path.isdir(os.environ["HOME"])
        assert os.access(tempfile.gettempdir(), os.W_OK), "a compiler would not use it"
        assert __name__ == "__main__"
        {PIPE}
    """
    verdict, error, notes = load(source, level)
    assert (verdict, error) == ("loaded", "")
    assert [note.split(" ")[0] for note in notes] == ["process:"]


@pytest.mark.skipif(not ISOLATED, reason="this kernel offers no isolation")
def test_the_file_is_handed_a_copy_alone_in_its_folder() -> None:
    source = f"""
        import os
        assert sorted(os.listdir()) == ["generated.py", "home", "hub", "tmp"], os.listdir()
        {PIPE}
    """
    assert load(source, ISOLATED[0])[:2] == ("loaded", "")


def test_a_sandbox_that_cannot_be_built_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accsearch.sandbox.client.readable", lambda models: ("/no/such/root",))
    with pytest.raises(UsageError, match="cannot be built"), running(PIPE, ISOLATED[0]) as sandboxed:
        sandboxed.ask("load", timeout=30)


def test_a_program_that_cannot_be_started_was_not_in_the_sandbox() -> None:
    with (
        scratch_folder() as scratch,
        SandboxProcess(Rules(Level.NONE, str(scratch), ()), ["/no/such/program"]) as sandbox,
    ):
        sandbox.wait()
        assert sandbox.not_built


def test_a_program_with_the_exit_code_of_the_launcher_was_in_the_sandbox() -> None:
    program = [sys.executable, "-S", "-c", f"import os; os._exit({NOT_BUILT})"]
    with scratch_folder() as scratch, SandboxProcess(Rules(Level.NONE, str(scratch), ()), program) as sandbox:
        assert sandbox.wait() == NOT_BUILT
        assert not sandbox.not_built


@pytest.mark.skipif(not ISOLATED, reason="this kernel offers no isolation")
def test_more_paths_than_an_argument_can_hold_are_handed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path / f"{number:0200}" for number in range(600)]
    for folder in folders:
        folder.mkdir()
    roots = (*readable(), *map(str, folders))
    assert sum(map(len, roots)) > 128 * 1024
    monkeypatch.setattr("accsearch.sandbox.client.readable", lambda models: roots)
    assert load(PIPE, ISOLATED[0]) == ("loaded", "", [])


def test_a_program_without_a_gpu_sees_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-1")
    source = f"import os\nassert os.environ['CUDA_VISIBLE_DEVICES'] == ''\n{PIPE}".encode()
    with open_client(source, Level.NONE, LIMITS, ReadableModels({}), gpus="") as sandboxed:
        sandboxed.ask("load", timeout=60)


def test_a_reference_within_reach_is_refused(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    for path in (weights / "reference.py", tmp_path / "reference.py"):
        path.write_text("pipe = 1", encoding="utf-8")
    models = ReadableModels({}, (weights,))
    within = open_client(b"", Level.NONE, LIMITS, models, hidden=[weights / "reference.py"], gpus="")
    with pytest.raises(UsageError, match=f"move it out of {weights}"), within:
        pass
    with open_client(b"", Level.NONE, LIMITS, models, hidden=[tmp_path / "reference.py"], gpus=""):
        pass


@pytest.mark.skipif(not ISOLATED, reason="this kernel offers no isolation")
def test_objects_are_not_compared_with_a_reference_within_reach(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    for path in (weights / "reference.py", tmp_path / "generated.py"):
        path.write_text("class Pipe:\n    steps = 4\n    __call__ = print\npipe = Pipe()\n", encoding="utf-8")
    with pytest.raises(UsageError, match=f"move it out of {weights}"):
        compare_objects(
            weights / "reference.py",
            tmp_path / "generated.py",
            allow_exec=True,
            models=ReadableModels({}, (weights,)),
        )


def test_time_held_still_does_not_count() -> None:
    now = [100.0]
    limits = Limits(wall_seconds=50.0)
    program = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
    with scratch_folder() as scratch:
        rules = Rules(Level.NONE, str(scratch), (), limits=limits)
        with SandboxProcess(rules, program, clock=lambda: now[0]) as sandbox:
            assert sandbox.deadline == 150.0
            sandbox.pause()
            now[0] = 130.0
            sandbox.pause()
            now[0] = 1100.0
            assert sandbox.deadline == 1150.0
            sandbox.resume()
            now[0] = 1120.0
            assert sandbox.deadline == 1150.0
            sandbox.resume()
            assert sandbox.deadline == 1150.0


def test_processor_time_grows_with_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 96)
    assert processor_seconds(Limits(wall_seconds=10.5)) == 1008
    assert processor_seconds(Limits(wall_seconds=10.5, cpu_seconds=7)) == 7


def test_bubblewrap_leaves_out_only_what_it_has_of_its_own() -> None:
    roots = ("/proc", "/proc/cpuinfo", "/processed", "/dev/shm/models")
    line = bubblewrap.command(Rules(Level.BUBBLEWRAP, "/scratch", roots), ["program"])
    bound = [line[number + 1] for number, word in enumerate(line) if word == "--ro-bind"]
    assert bound == ["/processed", "/dev/shm/models"]


def test_a_user_is_one_sandbox_s_alone() -> None:
    with scratch_folder() as one, scratch_folder() as other:
        users = {privileges.user_of(str(each)) for each in (one, one, other)}
    assert len(users) == 2
    assert all(privileges.FIRST_USER <= user < privileges.FIRST_USER + privileges.USERS for user in users)


@pytest.mark.skipif(os.geteuid() != 0 or not ISOLATED, reason="needs root")
def test_two_sandboxes_of_root_are_two_users() -> None:
    with running(PIPE, ISOLATED[0]) as one, running(PIPE, ISOLATED[0]) as other:
        users = []
        for sandboxed in (one, other):
            sandboxed.ask("load", timeout=60)
            users.append({os.stat(f"/proc/{pid}").st_uid for pid in sandboxed.processes()} - {0})  # noqa: PTH116
    assert len(users[0]) == len(users[1]) == 1
    assert users[0] != users[1]


@pytest.mark.skipif(not privileges.can_switch_user(), reason="needs root")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_root_that_could_not_end_another_user_stays_root() -> None:
    child = os.fork()
    if child == 0:
        able = True
        try:
            privileges._set_capabilities(privileges.NEEDED & ~(1 << privileges.CAP_KILL))
            able = privileges.can_switch_user()
        finally:
            os._exit(int(able))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_shared_memory_counts_once() -> None:
    script = (
        "import os, time; held = bytearray(b'x') * (64 << 20); os.fork(); "
        "print('ready', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-S", "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        parent.stdout.readline()
        pids = [parent.pid, *descendants(parent.pid)]
        roughly, exactly = memory_of(pids, 1 << 40), memory_of(pids, 0)
        end_all(lambda: descendants(parent.pid))
        parent.kill()
    assert roughly >= 128 * MIB
    assert 64 * MIB <= exactly < 128 * MIB


def test_a_deleted_file_that_is_open_is_still_on_disk(tmp_path: Path) -> None:
    before = deleted_files([os.getpid()])
    with (tmp_path / "file").open("wb") as file:
        file.write(b"x" * MIB)
        file.flush()
        os.fsync(file.fileno())
        assert deleted_files([os.getpid()]) == before
        (tmp_path / "file").unlink()
        assert deleted_files([os.getpid(), os.getpid()]) >= before + MIB
    assert deleted_files([os.getpid()]) == before


def test_empty_files_take_space_too(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / str(number)).touch()
    assert size_of(tmp_path, MIB) >= 10 * 4096


def test_this_machine_is_known() -> None:
    assert seccomp.supported() == (platform.machine() in ("x86_64", "aarch64"))
