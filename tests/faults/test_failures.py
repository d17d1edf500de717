"""What follows from a task's failure."""

import pytest
from tests.faults.clock import WallClock
from tests.faults.forked import write_worker
from tests.faults.program import Gate, Work

ONE = ("--gpus", "none", "--slots", "1")


def test_one_of_many_fails_and_the_rest_finish(work: Work) -> None:
    work.shell('if test $T = b; then echo "ValueError: no good"; exit 3; fi', ["a", "b", "c"])
    run = work.run(*ONE)
    assert run.process.returncode == 1
    assert work.states() == {"a": "done", "b": "failed", "c": "done"}
    assert any("c/b" in line and "ValueError: no good" in line for line in run.lines), run.text
    failed = work.marker("b.failed")
    assert (failed["reason"], failed["exit_code"], failed["attempt"]) == ("error", 3, 2)
    assert "no good" in work.log("b.1")


def test_exit_0_without_the_sentinel_is_incomplete(work: Work) -> None:
    work.configure(["echo", "hello {n}"], {"n": ["a"]})
    assert work.run(*ONE).process.returncode == 1
    assert work.marker("a.failed")["reason"] == "incomplete"


def test_the_sentinel_of_an_earlier_attempt_does_not_count(work: Work) -> None:
    work.configure(
        ["sh", "-c", "if test -e {n}.once; then exit 0; fi; touch {n}.once; echo finished {n}; exit 1"],
        {"n": ["a"]},
    )
    assert work.run(*ONE).process.returncode == 1
    assert work.marker("a.failed")["reason"] == "incomplete"


def test_the_word_error_is_no_failure(work: Work) -> None:
    work.shell('echo "0 Errors"; echo "a sign that says Error"', ["a"])
    assert work.run(*ONE).process.returncode == 0


def test_a_hung_worker_is_ended_and_one_that_downloads_is_not(work: Work) -> None:
    work.shell(
        "if test $T = hung; then sleep 600; fi\n"
        'exec python3 -c "import os, time\n'
        "file = open('download', 'wb')\n"
        "for _ in range(12):\n"
        "    file.write(bytes(65536)); file.flush(); os.fsync(file.fileno()); time.sleep(0.25)\n"
        "print('finished', '$T')\"",
        ["hung", "slow"],
        worker={"stall_timeout": "1.5s"},
        retry={"max_attempts": 1, "backoff": "0s"},
    )
    run = work.run("--gpus", "none", "--slots", "2")
    assert run.process.returncode == 1
    assert work.states() == {"hung": "failed", "slow": "done"}, run.text
    assert work.marker("hung.failed")["reason"] == "hang"


def test_a_time_limit_ends_a_worker_that_is_busy(work: Work) -> None:
    work.shell(
        "while true; do echo tick; sleep 0.05; done",
        ["a"],
        worker={"timeout": "1s"},
        retry={"max_attempts": 1, "backoff": "0s"},
    )
    assert work.run(*ONE).process.returncode == 1
    assert work.marker("a.failed")["reason"] == "timeout"


def test_a_jump_of_the_wall_clock_changes_no_duration(work: Work, gate: Gate, wall_clock: WallClock) -> None:
    # Given workers with limits, under a clock that a test can set
    work.env |= wall_clock.environment()
    limits = {"timeout": "60s", "stall_timeout": "60s"}
    work.shell(gate.script(), ["a", "b"], worker=limits, retry={"max_attempts": 1, "backoff": "0s"})
    with work.start_run(*ONE) as run:
        # When it jumps a day ahead during one, and two days back during the other
        gate.arrivals(1)
        wall_clock.jump(86_400)
        gate.open()
        gate.arrivals(1)
        wall_clock.jump(-86_400)
        gate.open()
        # Then both are done, and took what they took
        assert run.end() == 0, run.text
    for task in "ab":
        assert 0 < work.marker(f"{task}.done")["seconds"] < 60
    begun, ended = (work.marker("a.done")[key] for key in ("started_at", "finished_at"))
    assert begun[:10] < ended[:10]


@pytest.mark.parametrize(
    "script", ["echo 'ModuleNotFoundError: No module named torch'; exit 1", "no-such-program --at-all"]
)
def test_a_configuration_fault_is_not_retried(work: Work, script: str) -> None:
    work.shell(script, ["a"], retry={"max_attempts": 5, "backoff": "0s"})
    assert work.run(*ONE).process.returncode == 1
    failed = work.marker("a.failed")
    assert (failed["reason"], failed["attempt"]) == ("config", 1)


def test_a_program_that_cannot_be_started_is_a_configuration_fault(work: Work) -> None:
    work.configure(["./not-there", "{n}"], {"n": ["a"]})
    run = work.run(*ONE)
    assert run.process.returncode == 1
    failed = work.marker("a.failed")
    assert failed["reason"] == "config"
    assert "not-there" in failed["message"]


def test_identical_failures_in_a_row_stop_the_run(work: Work) -> None:
    tasks = [f"t{number}" for number in range(20)]
    work.shell("echo 'RuntimeError: the driver is too old'; exit 1", tasks, retry={"max_attempts": 1})
    run = work.run(*ONE)
    assert run.process.returncode == 1
    assert "failed alike" in run.text
    states = list(work.states().values())
    assert states.count("pending") >= 10
    assert states.count("failed") >= 5


def test_failures_that_differ_do_not_stop_the_run(work: Work) -> None:
    tasks = [f"t{number}" for number in range(12)]
    work.shell("echo RuntimeError: bad value in $T-$T-$(date +%N); exit 1", tasks, retry={"max_attempts": 1})
    assert work.run(*ONE).process.returncode == 1
    assert set(work.states().values()) == {"failed"}


FAKE_WORKER = """
def main(arguments):
    size = int(arguments[arguments.index("--batch_size") + 1])
    print("batch", size, "pid", os.getpid(), flush=True)
    if size > 1:
        print("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB", flush=True)
    os._exit(4 if size > 1 else 3)
"""


def test_out_of_memory_halves_the_batch_in_a_new_process(work: Work) -> None:
    write_worker(work.folder / "fake", FAKE_WORKER)
    (work.folder / "prompts.txt").write_text("a red circle\n" * 4)
    (work.folder / "c.yaml").write_text(
        "grid: {pipe: [{name: tiny, model: 'builtin:tiny-sd'}], sched: [DDIM], steps: [4]}\n"
        "prompts: {file: prompts.txt}\n"
        f"worker: {{device: cpu, num_samples: 4, batch_size: 4, env: {{PYTHONPATH: {work.folder / 'fake'}}}}}\n"
        "retry: {max_attempts: 1, backoff: 0s}\n"
    )
    run = work.run(*ONE)
    assert run.process.returncode == 1
    logs = [work.log(f"tiny_DDIM_4{attempt}") for attempt in (".1", ".2", "")]
    assert [log.split()[1] for log in logs] == ["4", "2", "1"], run.text
    assert len({log.split()[3] for log in logs}) == 3
    assert work.marker("tiny_DDIM_4.failed")["reason"] == "validation"


def test_gigabytes_of_progress_and_a_flood_of_lines_leave_a_small_readable_log(work: Work) -> None:
    work.shell(
        "python3 -c \"for i in range(300): print('\\r%d it' % i * 2000, end='')\"; echo\n"
        "yes 'a line of output' | head -c 150000000\n"
        "echo",
        ["a"],
    )
    assert work.run(*ONE).process.returncode == 0
    log = work.root / "logs" / "c" / "a.log"
    assert log.stat().st_size < 70 << 20
    with log.open("rb") as file:
        assert file.readline() == b"299 it\n"


def test_output_that_is_not_utf8_is_judged_all_the_same(work: Work) -> None:
    work.shell("printf '\\377\\376\\200 caf\\351\\n'", ["a"])
    assert work.run(*ONE).process.returncode == 0
    assert b"\xff\xfe\x80 caf\xe9\n" in (work.root / "logs" / "c" / "a.log").read_bytes()


def test_a_pending_retry_says_what_it_waits_for(work: Work, gate: Gate) -> None:
    work.shell(
        "if test $T = a && ! test -e once; then touch once; echo 'KeyError: oops'; exit 1; fi\n"
        f"{gate.script()}",
        ["a", "b"],
        retry={"max_attempts": 2, "backoff": "30s"},
    )
    with work.start_run(*ONE) as run:
        run.await_line("KeyError")
        gate.arrivals(1)
        (row,) = [task for task in work.status()["tasks"] if task["id"] == "a"]
        assert row["state"] == "pending"
        assert "its turn again" in row["reason"]
        assert "KeyError: oops" in row["message"]
        gate.open()
        run.process.terminate()
        run.end()
