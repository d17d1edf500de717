"""Workers that run out of memory, and keepers of GPUs that outlive their scheduler."""

import signal

from tests.faults.program import Gate, Work, is_alive
from tests.standin import GIB, StandIn

ROOMY = {"samples": 1, "max_used_memory": "130GiB"}
ONE = ("--gpus", "none", "--slots", "1")
OOM = "echo 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB'; exit 1"


def test_out_of_memory_is_tried_a_bounded_number_of_times(work: Work) -> None:
    # Given a command worker, whose batch nobody but itself can halve
    work.shell(f"echo $$ >> {work.folder}/pids\n{OOM}", ["a"], retry={"max_attempts": 3, "backoff": "0s"})
    run = work.run(*ONE)
    assert run.process.returncode == 1, run.text
    failed = work.marker("a.failed")
    assert (failed["reason"], failed["attempt"]) == ("oom", 3)
    assert "CUDA out of memory" in failed["message"]
    # Then each attempt was a process of its own, with a log of its own
    assert len(set((work.folder / "pids").read_text().split())) == 3
    assert all("Tried to allocate" in work.log(name) for name in ("a.1", "a.2", "a"))


def test_a_gpus_task_is_adopted_and_its_gpu_stays_leased_meanwhile(
    gpu_work: Work, standin: StandIn, gate: Gate
) -> None:
    # Given a task at work on a GPU, its scheduler killed
    other = Work(gpu_work.folder, gpu_work.env)
    other.root = gpu_work.folder / "other"
    history = gpu_work.folder / "history"
    gpu_work.shell(f"echo $ACCSEARCH_NONCE >> {history}; {gate.script()}", ["a"], gpus={"samples": 1})
    with gpu_work.start_run("--gpus", "0") as killed:
        worker = gate.arrivals(1)["a"]
        killed.process.send_signal(signal.SIGKILL)
        killed.process.wait()
    running = gpu_work.marker("a.running")
    # When a run of another work directory wants that GPU, and the first is started again
    with other.start_run("--gpus", "0") as second, gpu_work.start_run("--gpus", "0") as again:
        second.await_line("leased by")
        again.await_line("adopted")
        (row,) = gpu_work.json("gpus", "--json")[:1]
        assert not row["idle"] and "leased" in row["why"]
        assert is_alive(worker) and is_alive(running["keeper_pid"])
        assert other.markers("running") == []
        # Then the worker is awaited, not started again, and its marker tells of its GPU
        gate.open()
        assert again.end() == 0, again.text
        done = gpu_work.marker("a.done")
        assert (done["attempt"], done["gpu"], done["nonce"]) == (1, standin.uuid(0), running["nonce"])
        # And the other has the GPU now
        gate.arrivals(1)
        assert not is_alive(worker)
        gate.open()
        assert second.end() == 0, second.text
    assert other.marker("a.done")["gpu"] == standin.uuid(0)
    assert history.read_text().split() == [running["nonce"], other.marker("a.done")["nonce"]]


def test_after_out_of_memory_the_emptiest_gpu_is_next(gpu_work: Work, standin: StandIn, gate: Gate) -> None:
    # Given a task on one GPU, which others fill while it runs, and a second GPU that is empty
    standin.set_gpu(0, used=20 * GIB)
    standin.set_gpu(1, used=60 * GIB)
    gpu_work.shell(
        f"{gate.script()}\nif ! test -e once; then touch once; {OOM}; fi",
        ["a"],
        gpus=ROOMY,
        retry={"max_attempts": 2, "backoff": "0s"},
    )
    with gpu_work.start_run() as run:
        gate.arrivals(1)
        first = gpu_work.marker("a.running")["gpu"]
        fuller, emptier = (0, 1) if first == standin.uuid(0) else (1, 0)
        standin.set_gpu(fuller, used=100 * GIB)
        standin.set_gpu(emptier, used=0)
        gate.open()
        gate.arrivals(1)
        second = gpu_work.marker("a.running")["gpu"]
        gate.open()
        assert run.end() == 0, run.text
    assert (first, second) == (standin.uuid(fuller), standin.uuid(emptier))
