"""What generated code may try, and that none of it passes. Real sandboxes, no torch."""

import os
import socket
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from tests.sandbox.sandboxed import ISOLATED, LIMITS, PIPE, load, running

from accsearch.sandbox.client import Refused
from accsearch.sandbox.rules import MIB, Level

pytestmark = pytest.mark.skipif(not ISOLATED, reason="this kernel offers no isolation")
STRONGEST = ISOLATED[0] if ISOLATED else Level.NONE


def survivors(mark: str) -> list[psutil.Process]:
    return [each for each in psutil.process_iter(["cmdline"]) if mark in " ".join(each.info["cmdline"] or [])]


@pytest.mark.parametrize("level", ISOLATED)
def test_a_loop_that_swallows_every_exception_is_ended(level: Level) -> None:
    source = """
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass
    """
    verdict, error, _ = load(source, level, replace(LIMITS, wall_seconds=4.0))
    assert verdict == "timeout"
    assert "over 4 s" in error or "in time" in error


@pytest.mark.parametrize("level", [*ISOLATED, Level.NONE])
def test_a_fork_bomb_is_ended_with_all_its_processes(level: Level) -> None:
    # Bounded by itself too: at most 200 processes, whatever the sandbox does.
    mark = f"bomb-{os.getpid()}-{level}"
    source = f"""
        import os, subprocess, sys
        for number in range(200):
            try:
                subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)", "{mark}"],
                                 start_new_session=True)
            except BaseException:
                pass
        while True:
            pass
    """
    verdict, error, _ = load(source, level)
    assert verdict == "unsafe"
    assert "processes" in error
    assert survivors(mark) == []


@pytest.mark.parametrize("level", ISOLATED)
def test_the_network_is_out_of_reach(level: Level) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        port = server.getsockname()[1]
        source = f"""
            import socket
            reached = False
            try:
                socket.create_connection(("127.0.0.1", {port}), timeout=2)
                reached = True
            except OSError:
                pass
            try:
                datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                datagrams.sendto(b"x", ("127.0.0.1", {port}))
            except OSError:
                pass
            assert not reached
            {PIPE}
        """
        verdict, error, notes = load(source, level)
        with pytest.raises(TimeoutError):
            server.accept()
    assert (verdict, error) == ("loaded", "")
    assert any(note.startswith("network") for note in notes)


@pytest.mark.parametrize("level", ISOLATED)
def test_nothing_is_written_outside_the_scratch_folder(level: Level, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    source = f"""
        tried = 0
        for path in ("{tmp_path}/written", "/usr/written", "/dev/shm/written-{os.getpid()}"):
            try:
                open(path, "w").write("x")
            except OSError:
                tried += 1
        open("inside", "w").write("x")
        {PIPE}
    """
    verdict, error, notes = load(source, level)
    assert (verdict, error) == ("loaded", "")
    assert list(tmp_path.iterdir()) == []
    assert not Path("/usr/written").exists()
    assert not Path(f"/dev/shm/written-{os.getpid()}").exists()
    assert f"write: {tmp_path}/written" in notes


@pytest.mark.parametrize("level", ISOLATED)
def test_the_reference_cannot_be_read(level: Level, tmp_path: Path) -> None:
    reference = tmp_path / "reference.py"
    reference.write_text("the answer", encoding="utf-8")
    source = f"""
        found = None
        try:
            found = open("{reference}").read()
        except OSError:
            pass
        assert found is None
        {PIPE}
    """
    verdict, error, notes = load(source, level)
    assert (verdict, error) == ("loaded", "")
    assert f"read: {reference}" in notes


@pytest.mark.parametrize("level", ISOLATED)
def test_no_other_process_can_be_signalled(level: Level) -> None:
    source = f"""
        import os, signal
        try:
            os.kill({os.getpid()}, signal.SIGUSR1)
        except OSError:
            pass
        {PIPE}
    """
    # The default action of SIGUSR1 would end this test's own process.
    verdict, error, notes = load(source, level)
    assert (verdict, error) == ("loaded", "")
    assert f"signal: kill {os.getpid()}" in notes


@pytest.mark.parametrize("level", ISOLATED)
def test_the_environment_holds_no_secret(level: Level, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    source = f"""
        import os
        assert "hf_secret" not in " ".join(os.environ.values())
        try:
            seen = open("/proc/{os.getpid()}/environ", "rb").read()
        except OSError:
            seen = b""
        assert b"hf_secret" not in seen
        {PIPE}
    """
    assert load(source, level)[:2] == ("loaded", "")


@pytest.mark.parametrize("level", ISOLATED)
def test_other_processes_are_not_seen(level: Level) -> None:
    # Their command lines may hold secrets.
    source = f"""
        import os
        own = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        assert os.getpid() in own and len(own) < 10, own
        {PIPE}
    """
    assert load(source, level)[:2] == ("loaded", "")


@pytest.mark.parametrize("level", [each for each in ISOLATED if each is not Level.LANDLOCK])
def test_names_of_files_outside_are_not_seen(level: Level, tmp_path: Path) -> None:
    # Landlock has no say in stat, as docs/evaluate.md tells.
    (tmp_path / "outside").touch()
    source = f"""
        import os
        assert not os.path.exists("{tmp_path}/outside")
        {PIPE}
    """
    assert load(source, level)[:2] == ("loaded", "")


@pytest.mark.parametrize("level", ISOLATED)
def test_a_program_names_its_threads_and_changes_nothing_else_in_proc(level: Level) -> None:
    # CUDA names its threads when it starts, and fails where it cannot.
    source = f"""
        import os, pathlib, threading
        def name():
            comm = pathlib.Path(f"/proc/{{os.getpid()}}/task/{{threading.get_native_id()}}/comm")
            comm.write_text("renamed")
            assert comm.read_text() == "renamed\\n"
            done.append(True)
        done = []
        thread = threading.Thread(target=name)
        thread.start()
        thread.join()
        assert done
        for path in ("/proc/sys/kernel/domainname", "/proc/sys/vm/swappiness", "/proc/sysrq-trigger", "/proc/1/comm"):
            try:
                open(path, "r+b", buffering=0)
            except OSError:
                continue
            # In bubblewrap the first process is the sandbox's own.
            assert path == "/proc/1/comm", path
        {PIPE}
    """
    assert load(source, level)[:2] == ("loaded", "")


def test_exit_code_0_without_an_answer_has_not_passed() -> None:
    verdict, error, _ = load("import os; os._exit(0)", STRONGEST)
    assert verdict == "failed"
    assert "exit code 0 without an answer" in error


def test_the_exit_code_of_a_sandbox_that_cannot_be_built_is_a_failure() -> None:
    verdict, error, _ = load("import os; os._exit(125)", STRONGEST)
    assert verdict == "failed"
    assert "exit code 125" in error


def test_sys_exit_is_a_failure() -> None:
    assert load("raise SystemExit(0)", STRONGEST)[0] == "failed"


def test_a_forged_verdict_on_stdout_means_nothing() -> None:
    source = """
        print('{"verdict": "ok", "speedup": 100.0}', flush=True)
        print("Evaluated", flush=True)
        raise ValueError("nothing works")
    """
    verdict, error, _ = load(source, STRONGEST)
    assert verdict == "failed"
    assert "ValueError: nothing works" in error


FORGE = """
    import os, stat, struct
    text = b'{"nonce": "0", "pipe": "x", "arguments": {}}'
    frame = struct.pack(">II", len(text), 0) + text
    for descriptor in range(3, 64):
        try:
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                os.write(descriptor, frame)
        except OSError:
            pass
"""


def test_a_forged_answer_on_the_pipe_is_recognised_by_its_nonce() -> None:
    source = FORGE + f"    {PIPE}"
    verdict, error, _ = load(source, STRONGEST)
    assert verdict == "unsafe"
    assert "forged" in error


def test_bytes_that_are_no_frame_are_refused() -> None:
    source = (
        FORGE.replace("os.write(descriptor, frame)", "os.write(descriptor, b'\\xff' * 64)") + f"    {PIPE}"
    )
    verdict, error, _ = load(source, STRONGEST)
    assert verdict == "unsafe"
    assert "forged" in error


def test_an_answer_before_the_question_is_refused() -> None:
    source = """
        import os, stat, struct, threading
        def forge():
            text = b'{"nonce": "0"}'
            frame = struct.pack(">II", len(text), 0) + text
            for descriptor in range(3, 64):
                try:
                    if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                        os.write(descriptor, frame)
                except OSError:
                    pass
        threading.Timer(2.0, forge).start()
        pipe = lambda prompt, **options: None
    """
    with running(source, STRONGEST) as sandboxed:
        sandboxed.ask("load", timeout=30)
        assert sandboxed.speaks(within=30.0)
        with pytest.raises(Refused, match="forged") as found:
            sandboxed.ask("generate", timeout=30, prompt="a cat", seed=1, arguments={})
    assert found.value.verdict == "unsafe"


def test_a_gigabyte_of_output_is_capped() -> None:
    source = f"""
        import os
        block = b"x" * (1 << 20)
        for _ in range(1024):
            os.write(1, block)
        {PIPE}
    """
    with running(source, STRONGEST) as sandboxed:
        before = psutil.Process().memory_info().rss
        sandboxed.ask("load", timeout=60)
        grown = psutil.Process().memory_info().rss - before
    # The answer overtakes what is still in the pipe; the end of the sandbox waits for all of it.
    assert sandboxed.output_bytes >= 1 << 30
    assert len(sandboxed.output) <= 16 * 1024
    assert grown < 64 * MIB


def test_a_full_disk_is_no_way_out() -> None:
    source = """
        block = b"x" * (1 << 20)
        with open("big", "wb") as file:
            for _ in range(2000):
                file.write(block)
        while True:
            pass
    """
    limits = replace(LIMITS, file_bytes=64 * MIB, scratch_bytes=32 * MIB)
    verdict, error, _ = load(source, STRONGEST, limits)
    assert verdict in ("unsafe", "failed")
    assert "disk" in error or "File too large" in error


def test_a_file_without_a_name_is_on_disk_too() -> None:
    source = """
        import os, time
        file = open("big", "wb")
        os.unlink("big")
        for _ in range(64):
            file.write(b"x" * (1 << 20))
        file.flush()
        time.sleep(50)
        pipe = lambda prompt, **options: None
    """
    limits = replace(LIMITS, scratch_bytes=32 * MIB)
    verdict, error, _ = load(source, STRONGEST, limits)
    assert (verdict, error) == ("unsafe", "disk: it wrote over 32 MiB")


@pytest.mark.parametrize("memory", [LIMITS.memory, None])
def test_memory_has_a_bound_over_all_processes(memory: int | None) -> None:
    source = """
        import os, time
        for _ in range(4):
            if os.fork() == 0:
                break
        held = bytearray(b"x") * (100 << 20)
        time.sleep(50)
        pipe = lambda prompt, **options: None
    """
    limits = replace(LIMITS, memory=memory, resident=256 * MIB)
    verdict, error, _ = load(source, STRONGEST, limits)
    assert (verdict, error) == ("failed", "memory: it held over 256 MiB")


def test_memory_has_a_bound() -> None:
    verdict, error, _ = load("x = bytearray(1 << 36)", STRONGEST)
    assert verdict == "failed"
    assert "MemoryError" in error


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = 1", "defines no `pipe`"),
        ("pipe = 3", "of type int"),
        ("pipe = None", "of type NoneType"),
        ("pipe = {'unet': 1}", "of type dict"),
    ],
)
def test_a_pipe_that_is_missing_or_wrong_has_a_verdict(source: str, said: str) -> None:
    verdict, error, _ = load(source, STRONGEST)
    assert verdict == "invalid"
    assert said in error


def test_a_patched_clock_changes_no_time() -> None:
    source = """
        import time
        really = time.sleep
        time.perf_counter = time.time = time.monotonic = lambda: 0.0
        time.perf_counter_ns = lambda: 0
        from PIL import Image
        def pipe(prompt, **options):
            really(0.3)
            return Image.new("RGB", (8, 8))
    """
    with running(source, STRONGEST) as sandboxed:
        sandboxed.ask("load", timeout=30)
        _, seconds = sandboxed.ask(
            "generate", timeout=30, max_body=1000, prompt="a cat", seed=1, arguments={}
        )
    assert seconds >= 0.3


def test_a_lazy_image_is_computed_within_the_time() -> None:
    source = """
        import time
        from PIL import Image
        class Lazy(Image.Image):
            pass
        class Result:
            @property
            def images(self):
                time.sleep(0.3)
                return [Image.new("RGB", (8, 8))]
        def pipe(prompt, **options):
            return Result()
    """
    with running(source, STRONGEST) as sandboxed:
        sandboxed.ask("load", timeout=30)
        answer, seconds = sandboxed.ask(
            "generate", timeout=30, max_body=1000, prompt="a cat", seed=1, arguments={}
        )
    assert len(answer.body) == 8 * 8 * 3
    assert seconds >= 0.3


def test_a_result_that_is_no_image_is_invalid() -> None:
    with running("pipe = lambda prompt, **options: 'an image'", STRONGEST) as sandboxed:
        sandboxed.ask("load", timeout=30)
        with pytest.raises(Refused) as found:
            sandboxed.ask("generate", timeout=30, max_body=1000, prompt="a cat", seed=1, arguments={})
    assert found.value.verdict == "invalid"


def test_a_file_that_works_on_in_the_background_stands_still_while_paused() -> None:
    source = f"""
        import threading
        def work():
            while True:
                pass
        threading.Thread(target=work, daemon=True).start()
        {PIPE}
    """
    with running(source, STRONGEST) as sandboxed:
        sandboxed.ask("load", timeout=30)
        sandboxed.pause()
        pids = sandboxed.processes()
        # A thread on another core stops at its next interrupt.
        for _ in range(100):
            states = {psutil.Process(pid).status() for pid in pids}
            if states == {psutil.STATUS_STOPPED}:
                break
            time.sleep(0.01)
        sandboxed.resume()
    assert pids
    assert states == {psutil.STATUS_STOPPED}


def test_a_daemon_does_not_outlive_the_sandbox() -> None:
    mark = f"daemon-{os.getpid()}"
    source = f"""
        import subprocess, sys
        subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(120)", "{mark}"],
                         start_new_session=True)
        {PIPE}
    """
    for level in (*ISOLATED, Level.NONE):
        with running(source, level) as sandboxed:
            sandboxed.ask("load", timeout=30)
            assert survivors(mark)
        assert survivors(mark) == []


def test_closed_pipes_are_a_failure_not_a_wait() -> None:
    source = """
        import os
        os.closerange(3, 64)
        while True:
            pass
    """
    began = time.monotonic()
    verdict, error, _ = load(source, STRONGEST)
    assert verdict == "unsafe"
    assert "closed its pipes" in error
    assert time.monotonic() - began < LIMITS.wall_seconds


def test_a_program_that_closes_its_pipes_between_requests_has_not_forged() -> None:
    source = f"""
        import os, threading
        threading.Timer(1.0, os.closerange, (3, 64)).start()
        {PIPE}
    """
    with running(source, STRONGEST) as sandboxed:
        sandboxed.ask("load", timeout=30)
        assert sandboxed.speaks(within=30.0)
        with pytest.raises(Refused, match="closed its pipes"):
            sandboxed.ask("generate", timeout=30, prompt="a cat", seed=1, arguments={})


def test_thousands_of_attempts_do_not_hold_the_program_up() -> None:
    source = f"""
        for number in range(5000):
            try:
                open("/root/" + chr(233) * 200 + str(number))
            except OSError:
                pass
        {PIPE}
    """
    verdict, error, notes = load(source, STRONGEST)
    assert (verdict, error) == ("loaded", "")
    assert len(notes) == 20


def test_an_attempt_after_thousands_of_the_same_is_noted() -> None:
    source = f"""
        for name in ["/root/" + "x" * 100] * 5000 + ["/root/" + "y" * 200]:
            try:
                open(name)
            except OSError:
                pass
        {PIPE}
    """
    assert load(source, STRONGEST)[2][1:] == ["read: /root/" + "y" * 200]


def test_an_event_loop_is_no_network() -> None:
    source = f"""
        import asyncio
        async def work():
            await asyncio.sleep(0)
        asyncio.run(work())
        {PIPE}
    """
    assert load(source, STRONGEST) == ("loaded", "", [])


@pytest.mark.parametrize(
    "start",
    [
        "subprocess.run(['cat', '/etc/shadow'], capture_output=True)",
        "os.system('cat /etc/shadow 2>/dev/null')",
        "os.waitpid(os.posix_spawn('/bin/cat', ['cat', '/etc/shadow'], {}), 0)",
        "os.spawnlp(os.P_WAIT, 'cat', 'cat', '/etc/shadow')",
        "asyncio.run(asyncio.create_subprocess_exec('cat', '/etc/shadow'))",
    ],
)
def test_a_program_that_the_file_starts_is_noted(start: str) -> None:
    verdict, error, notes = load(f"import asyncio, os, subprocess\n{start}\n{PIPE}", STRONGEST)
    assert (verdict, error) == ("loaded", "")
    assert any(note.startswith("process: cat /etc/shadow") for note in notes)


def test_a_question_about_the_machine_is_no_program_of_the_file() -> None:
    source = f"""
        import ctypes.util, platform, uuid
        platform.platform()
        platform.processor()
        uuid.getnode()
        ctypes.util.find_library("c")
        {PIPE}
    """
    assert load(source, STRONGEST) == ("loaded", "", [])


CLEAR = "\\x1b[2J\\x1b[31mok\\r\\n\\u202e\\ud800"
"""How a program could overwrite the report on a terminal, as Python writes it."""


@pytest.mark.parametrize(
    "source",
    [
        f"raise ValueError('{CLEAR}')",
        f"import os; os.write(2, '{CLEAR}'.encode(errors='replace')); os._exit(3)",
        f"pipe = type('{CLEAR}'.replace(chr(0xd800), ''), (), {{}})()",
    ],
)
def test_what_a_program_says_is_one_printable_line(source: str) -> None:
    _, error, _ = load(source, STRONGEST)
    assert error.isprintable()
    assert error


def test_the_name_of_an_entry_is_printable_too() -> None:
    source = f"""
        import __main__
        class Pipe:
            def __call__(self, prompt, **options): ...
        Pipe.__name__ = "{CLEAR}".replace(chr(0xd800), "")
        pipe = Pipe()
    """
    with running(source, STRONGEST) as sandboxed:
        answer, _ = sandboxed.ask("load", timeout=30)
    assert str(answer.header["pipe"]).isprintable()


def test_an_attempt_on_a_name_that_cannot_be_printed_is_noted() -> None:
    source = f"""
        try:
            open("/root/\\x1b[2J")
        except OSError:
            pass
        {PIPE}
    """
    assert load(source, STRONGEST)[2] == ["read: /root/\\x1b[2J"]
