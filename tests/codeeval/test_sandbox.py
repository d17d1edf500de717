"""The cage itself: levels, what it hides, what it hands over."""

import os
import platform
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from tests.codeeval.caged import ISOLATED, PIPE, load, running

from accsearch.codeeval.sandbox import bubblewrap, landlock, levels, seccomp
from accsearch.codeeval.sandbox.processes import descendants, end_all
from accsearch.codeeval.sandbox.roots import devices, environment, readable
from accsearch.codeeval.sandbox.rules import Level, Limits, Rules
from accsearch.codeeval.sandbox.scratch import link_models, scratch_folder, size_of
from accsearch.codeeval.sandbox.syscalls import ABSENT, IGNORED, NUMBERS, OF_PROCESS, REFUSED, TIMES
from accsearch.errors import UsageError


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


def test_every_call_that_is_judged_has_a_number() -> None:
    judged = {*REFUSED, *ABSENT, *IGNORED, *TIMES, *OF_PROCESS}
    old = {"chmod", "chown", "lchown", "utime", "utimes", "futimesat"}
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
    for place, argument in enumerate((*arguments, 0, 0, 0)):
        words[seccomp.ARGUMENTS + 8 * place] = argument
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
def test_the_cage_lets_a_program_work(level: Level) -> None:
    source = f"""
        import json, multiprocessing, os, subprocess, sys, tempfile, threading
        with tempfile.TemporaryFile() as file:
            file.write(b"x")
        assert subprocess.run([sys.executable, "-I", "-c", "print(1)"], capture_output=True).stdout == b"1\\n"
        threads = [threading.Thread(target=os.getpid) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert os.environ["HOME"].startswith(os.getcwd())
        assert os.path.isdir(os.environ["HOME"])
        assert __name__ == "__main__"
        {PIPE}
    """
    assert load(source, level) == ("loaded", "", [])


@pytest.mark.skipif(not ISOLATED, reason="this kernel offers no isolation")
def test_the_file_is_handed_a_copy_alone_in_its_folder() -> None:
    source = f"""
        import os
        assert sorted(os.listdir()) == ["generated.py", "home", "hub", "tmp"], os.listdir()
        {PIPE}
    """
    assert load(source, ISOLATED[0])[:2] == ("loaded", "")


def test_a_cage_that_cannot_be_built_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accsearch.codeeval.guest.readable", lambda models: ("/no/such/root",))
    with pytest.raises(UsageError, match="cannot be built"), running(PIPE, ISOLATED[0]) as caged:
        caged.ask("load", timeout=30)


def test_this_machine_is_known() -> None:
    assert seccomp.supported() == (platform.machine() in ("x86_64", "aarch64"))
