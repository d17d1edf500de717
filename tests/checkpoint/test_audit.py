import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from accsearch.checkpoint.audit import audit
from accsearch.checkpoint.markers import SUBMITTED, read_done, write_done, write_failed
from accsearch.checkpoint.record import tidy
from accsearch.process_identity import process_create_time, process_identity
from accsearch.task import TaskState


def record(planned, **options):
    return audit(planned.workdir, planned.grid, **options)[0]


def files(planned):
    return {path: path.read_bytes() for path in planned.workdir.root.rglob("*") if path.is_file()}


@pytest.fixture
def done(traversal):
    traversal.log()
    traversal.measure()
    traversal.finish()
    return traversal


@pytest.fixture
def alive():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_a_fresh_work_directory_is_all_pending(command):
    records = audit(command.workdir, command.grid)

    assert [(each.task.id, each.state, each.why) for each in records] == [
        ("a", TaskState.PENDING, "not run yet"),
        ("b", TaskState.PENDING, "not run yet"),
    ]


def test_folders_need_not_exist(command):
    for folder in ("checkpoints", "logs", "results"):
        (command.workdir.root / folder / "C").rmdir()

    assert record(command).state is TaskState.PENDING


def test_done_holds_and_nothing_is_changed(done):
    before = files(done)

    found = record(done)

    assert (found.state, found.why, found.attempt, found.seconds) == (TaskState.DONE, "done", 1, 2.5)
    assert files(done) == before


def test_what_a_task_took_is_known_after_its_marker_has_ceased_to_hold(done):
    done.paths.log.write_text("overwritten\n")
    found = record(done)

    assert (found.state, found.seconds, found.last_seconds) == (TaskState.PENDING, None, 2.5)

    tidy(found)
    again = record(done)

    assert (again.state, again.seconds, again.last_seconds) == (TaskState.PENDING, None, 2.5)


def test_a_damaged_marker_that_was_set_aside_tells_no_time(done):
    done.paths.done.rename(done.paths.done.with_name(f"{done.task.id}.done.aside")).write_bytes(b"{")

    assert record(done).last_seconds is None


def test_a_deleted_log_is_not_held_against_the_task(done):
    done.paths.log.unlink()

    assert record(done).state is TaskState.DONE


def test_a_log_that_ends_otherwise_is(done):
    with done.paths.log.open("a") as file:
        file.write("x" * 5000)

    found = record(done)

    assert (found.state, found.set_aside) == (TaskState.PENDING, (done.paths.done,))
    assert "sentinel" in found.why


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"\0" * 700, "filled with NUL"),
        (b'{"schema": 1, "task"', "truncated"),
        (b'{"schema": 2}', "newer version (schema 2)"),
        (b"[]", "not a JSON object"),
        (b"{}", "no 'task'"),
    ],
)
def test_a_damaged_marker_is_set_aside_with_its_reason(done, data, why):
    done.paths.done.write_bytes(data)

    found = record(done)
    tidy(found)

    assert (found.state, found.attempt) == (TaskState.PENDING, 1)
    assert f"{done.task.id}.done is damaged: " in found.why
    assert why in found.why
    assert not done.paths.done.exists()
    assert done.paths.done.with_name(f"{done.task.id}.done.aside").read_bytes() == data


@pytest.mark.parametrize(
    "change", [{"task": "other"}, {"attempt": "1"}, {"results": 5}, {"results": {"bytes": "1"}}]
)
def test_a_marker_of_wrong_content_does_not_hold(done, change):
    done.paths.done.write_text(json.dumps(json.loads(done.paths.done.read_text()) | change))

    assert record(done).state is TaskState.PENDING


def test_results_that_were_cut_short_do_not_hold(done):
    size = done.paths.results.stat().st_size
    os.truncate(done.paths.results, size - 10)

    assert f"{size - 10} bytes, {size} when" in record(done).why


def test_results_that_are_missing_do_not_hold(done):
    done.paths.results.unlink()

    assert "its results file is missing" in record(done).why


def test_a_changed_configuration_is_named_and_may_be_accepted(done):
    changed = done.changed(num_samples=64)

    assert "worker.num_samples 2 -> 64" in record(changed).why
    assert record(changed, keep_stale=True).state is TaskState.DONE


def test_changed_prompts_are_named(done, tmp_path):
    (tmp_path / "prompts.txt").write_text("something else\n")
    resolved = done.grid.config.resolved()
    facts = resolved["facts"] | {"prompts": "0" * 64}
    config = type(done.grid.config).from_resolved(resolved | {"facts": facts})
    changed = type(done)(done.workdir, __import__("accsearch.grid").grid.expand(config))

    assert record(changed).why == "changed since: prompts"


def test_new_package_versions_are_shown_and_rerun_only_on_demand(done):
    marker = json.loads(done.paths.done.read_text())
    marker["versions"]["torch"] = "1.0"
    done.paths.done.write_text(json.dumps(marker))

    shown, rerun = record(done), record(done, rerun_on_versions=True)

    assert (shown.state, rerun.state) == (TaskState.DONE, TaskState.PENDING)
    assert "torch 1.0 -> " in shown.why
    assert "torch 1.0 -> " in rerun.why


def test_a_failure_is_reported(command):
    command.log("KeyError: 3", sentinel=False)
    command.finish(code=1)

    found = record(command)

    assert (found.state, found.why) == (TaskState.FAILED, "failed (error): KeyError: 3")
    assert (found.failed.attempt, found.attempt) == (1, 1)


def test_a_failure_of_another_configuration_is_pending(command):
    command.log(sentinel=False)
    command.finish(code=1)
    changed = command.changed(command=["python", "mended.py", "{n}"])

    found = record(changed)

    assert (found.state, "failed before; changed since: worker.command" in found.why) == (
        TaskState.PENDING,
        True,
    )
    assert found.set_aside == (command.paths.failed,)


def test_a_damaged_failure_is_set_aside(command):
    command.paths.failed.write_bytes(b"\0")

    found = record(command)

    assert (found.state, found.set_aside) == (TaskState.PENDING, (command.paths.failed,))
    assert "a.failed is damaged: filled with NUL" in found.why


def test_a_failure_after_a_marker_that_no_longer_holds_counts(command):
    command.log()
    command.finish()
    changed = command.changed(command=["python", "worse.py", "{n}"])
    changed.log("KeyError: 3", sentinel=False)
    changed.finish(attempt=2, code=1)

    found = record(changed)

    assert (found.state, found.attempt, found.set_aside) == (TaskState.FAILED, 2, (command.paths.done,))


@pytest.mark.process
def test_a_live_keeper_means_running(command, alive):
    command.start(attempt=4, keeper_pid=alive.pid, keeper_create_time=process_create_time(alive.pid))

    found = record(command)

    assert (found.state, found.attempt, found.running.nonce) == (TaskState.RUNNING, 4, "nonce4")


@pytest.mark.process
def test_a_reused_pid_is_another_process(command, alive):
    command.start(keeper_pid=alive.pid, keeper_create_time=process_create_time(alive.pid) - 100)

    found = record(command)

    assert (found.state, found.why) == (TaskState.PENDING, "its keeper and worker died without a trace")


@pytest.mark.process
def test_an_identity_is_believed_over_a_stepped_clock(command, alive):
    command.start(keeper_pid=alive.pid, keeper_create_time=5.0, keeper_identity=process_identity(alive.pid))

    assert record(command).state is TaskState.RUNNING


@pytest.mark.process
def test_a_worker_left_by_its_keeper_is_to_be_ended(command, alive):
    command.start(pid=alive.pid, create_time=process_create_time(alive.pid))

    found = record(command)

    assert (found.state, found.orphan_pid) == (TaskState.PENDING, alive.pid)


def test_an_attempt_that_ended_unwatched_is_judged_first(command):
    command.start(attempt=2, ended=command.exit(attempt=2))

    found = record(command)

    assert (found.state, found.exit.nonce, found.running.nonce) == (TaskState.PENDING, "nonce2", "nonce2")
    assert found.attempt == 2


def test_an_exit_of_another_attempt_is_not_believed(command):
    command.start(attempt=2, ended=command.exit(attempt=1))

    found = record(command)

    assert (found.exit, found.why) == (None, "its keeper and worker died without a trace")


@pytest.mark.parametrize("code", [0, 1])
def test_markers_of_a_judged_attempt_are_leftovers(command, code):
    command.log()
    command.start(ended=command.exit())
    command.finish(code=code)

    found = record(command)
    tidy(found)

    assert found.state is (TaskState.FAILED if code else TaskState.DONE)
    assert not command.paths.running.exists()
    assert not command.paths.exit.exists()
    assert record(command).state is found.state


def test_a_rerun_that_died_does_not_revive_the_old_verdict(command):
    command.log()
    command.finish(attempt=1)
    command.start(attempt=2)

    found = record(command)

    assert (found.state, found.set_aside) == (TaskState.PENDING, (command.paths.done,))


def test_a_damaged_running_marker_is_set_aside(command):
    command.paths.running.write_bytes(b"")

    found = record(command)

    assert (found.state, found.why) == (TaskState.PENDING, "a.running is damaged: empty")
    assert found.set_aside == (command.paths.running,)


def test_another_host_is_believed_while_it_shows_signs_of_life(command):
    command.start(host="elsewhere")

    assert record(command).state is TaskState.RUNNING
    os.utime(command.paths.running, (1.0, 1.0))
    assert "no sign of life from host elsewhere" in record(command).why


def test_rotated_logs_count_as_attempts(command):
    for name in ("a.1.log", "a.2.log", "a.log", "b.log", "a.b.log", "unrelated"):
        (command.workdir.logs / "C" / name).touch()

    assert [each.attempt for each in audit(command.workdir, command.grid)] == [3, 1]


def test_an_exit_alone_counts_as_an_attempt(command):
    command.start(ended=command.exit(attempt=7), attempt=7)
    command.paths.running.unlink()

    found = record(command)

    assert (found.state, found.attempt, found.exit) == (TaskState.PENDING, 7, None)


def test_two_verdicts_of_one_attempt_agree_on_done(command):
    # A crash between writing the one and removing the other leaves both.
    command.log("x", sentinel=False)
    failed = command.judge(command.exit(code=1))
    command.log()
    write_done(command.paths.done, command.judge(command.exit(attempt=2), command.running(attempt=2)))
    write_failed(command.paths.failed, failed)

    assert record(command).state is TaskState.DONE


def test_an_interrupted_task_is_not_said_to_be_not_run(traversal):
    # Given an attempt that was cut short after a trial: a log and a line, and no marker
    traversal.log("measuring", sentinel=False)
    traversal.measure()

    [found] = audit(traversal.workdir, traversal.grid)

    assert (found.state, found.attempt) == (TaskState.PENDING, 1)
    assert found.why == "not finished: attempt 1 was interrupted"


def test_a_limit_that_an_earlier_version_had_in_the_digest_runs_nothing_again(traversal):
    # Given a marker whose digest covers more than it would today, and results that hold every trial
    traversal.log()
    traversal.measure()
    done = traversal.finish()
    write_done(
        traversal.paths.done,
        replace(done, digest="0" * 16, parts={**done.parts, "search.max_score_loss": "1"}),
    )

    [found] = audit(traversal.workdir, traversal.grid)
    assert (found.state, found.set_aside) == (TaskState.DONE, ())
    tidy(found)

    assert read_done(traversal.paths.done) == done
    [again] = audit(traversal.workdir, traversal.grid)
    assert (again.why, again.renewed) == ("done", None)


def test_what_waits_in_a_clusters_queue_is_pending(command):
    queued = {"pid": SUBMITTED, "keeper_pid": SUBMITTED, "host": ""}
    command.start(executor="slurm", job_id="12", attempt=3, **queued)

    found = record(command)

    assert (found.state, found.attempt) == (TaskState.PENDING, 3)
    assert found.why == "submitted to slurm as job 12, not started yet"
    assert found.running is not None
