import json
import os

from accsearch.checkpoint.markers import SUBMITTED
from accsearch.checkpoint.plan import store_plan
from accsearch.checkpoint.status import status
from accsearch.process_identity import process_create_time

KEYS = [
    "id",
    "config",
    "state",
    "attempt",
    "gpu",
    "reason",
    "message",
    "seconds",
    "log",
    "trials_done",
    "trials_total",
    "measured_share",
    "host",
    "job_id",
]


def test_an_empty_work_directory_has_no_tasks(command):
    counts = {"pending": 0, "running": 0, "done": 0, "failed": 0}

    assert status(command.workdir) == {"workdir": str(command.workdir.root), "counts": counts, "tasks": []}


def test_done_and_pending_tasks(command):
    store_plan(command.workdir, command.grid, {}, None, ".")
    command.log()
    command.finish()

    found = status(command.workdir)

    assert found["counts"] == {"pending": 1, "running": 0, "done": 1, "failed": 0}
    first, second = found["tasks"]
    assert list(first) == KEYS
    assert (first["state"], first["attempt"], first["seconds"], first["reason"]) == ("done", 1, 2.5, None)
    assert (second["state"], second["attempt"], second["message"]) == ("pending", 0, "not run yet")


def test_a_failed_task_says_why_and_how_far_it_came(traversal):
    store_plan(traversal.workdir, traversal.grid, {}, None, ".")
    traversal.log("KeyError: 3", sentinel=False)
    traversal.measure()
    traversal.finish(code=4)

    [task] = status(traversal.workdir)["tasks"]

    assert (task["state"], task["reason"], task["message"]) == ("failed", "oom", "KeyError: 3")
    assert (task["trials_done"], task["trials_total"]) == (2, 2)


def test_a_running_task_has_its_time(traversal):
    store_plan(traversal.workdir, traversal.grid, {}, None, ".")
    me = {"keeper_pid": os.getpid(), "keeper_create_time": process_create_time(os.getpid())}
    traversal.start(gpu="GPU-1", **me)

    [task] = status(traversal.workdir)["tasks"]

    assert (task["state"], task["gpu"], task["trials_done"]) == ("running", "GPU-1", 0)
    assert task["seconds"] > 0


def test_what_tasks_wait_for_is_believed_while_the_scheduler_lives(command):
    store_plan(command.workdir, command.grid, {}, None, ".")
    said = {"pid": os.getpid(), "create_time": process_create_time(os.getpid())}
    waits = {"tasks": {"C/a": "an emptier GPU"}, "default": "a free GPU"}
    command.workdir.waiting.write_text(json.dumps(said | waits))

    reasons = [task["reason"] for task in status(command.workdir)["tasks"]]
    command.workdir.waiting.write_text(json.dumps(said | waits | {"create_time": 1.0}))
    later = [task["reason"] for task in status(command.workdir)["tasks"]]

    assert (reasons, later) == (["an emptier GPU", "a free GPU"], [None, None])


def test_a_submitted_task_says_why_its_job_waits(command):
    store_plan(command.workdir, command.grid, {}, None, ".")
    command.start(pid=SUBMITTED, keeper_pid=SUBMITTED, host="", executor="slurm", job_id="12_3")
    said = {"pid": os.getpid(), "create_time": process_create_time(os.getpid())}
    command.workdir.waiting.write_text(json.dumps(said | {"tasks": {}, "default": "a slot"}))
    command.workdir.queue.write_text(json.dumps(said | {"jobs": {"12_3": "Resources"}}))

    task = status(command.workdir)["tasks"][0]

    assert (task["state"], task["reason"], task["job_id"]) == ("pending", "Resources", "12_3")
