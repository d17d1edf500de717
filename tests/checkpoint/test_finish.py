import hashlib

import pytest

from accsearch.checkpoint.log import read_tail
from accsearch.checkpoint.markers import Done, Failed
from accsearch.grid import success_sentinel
from accsearch.task import FailureReason


def test_a_finished_command_is_done(command):
    command.log("0 Errors", 'caption: "an Error sign"')

    verdict = command.judge()

    assert isinstance(verdict, Done)
    assert (verdict.digest, verdict.attempt, verdict.seconds) == (command.task.digest, 1, 2.5)
    assert (verdict.log, verdict.results) == ("logs/C/a.log", None)
    assert "accsearch" in verdict.versions


def test_a_finished_search_is_done_with_its_results_hashed(traversal):
    traversal.log()
    traversal.measure()

    verdict = traversal.judge()

    data = traversal.paths.results.read_bytes()
    assert isinstance(verdict, Done)
    assert verdict.results.path == f"results/C/{traversal.task.id}.jsonl"
    assert (verdict.results.lines, verdict.results.bytes) == (len(traversal.task.trials), len(data))
    assert verdict.results.sha256 == hashlib.sha256(data).hexdigest()


def test_results_of_a_command_worker_are_kept_too(command):
    command.log()
    command.paths.results.write_bytes(b"{}\n")

    assert command.judge().results.bytes == 3


@pytest.mark.parametrize("said", ["finished a b", "not finished a", "finished a_b", ""])
def test_exit_0_without_the_sentinel_as_a_line_is_incomplete(command, said):
    command.log(said, sentinel=False)

    verdict = command.judge()

    assert (verdict.reason, "'finished a'" in verdict.message) == (FailureReason.INCOMPLETE, True)


def test_the_sentinel_then_another_exit_code_is_a_failure(command):
    command.log("ValueError: boom")

    verdict = command.judge(command.exit(code=3))

    assert (verdict.reason, verdict.message, verdict.exit_code) == (
        FailureReason.ERROR,
        "ValueError: boom",
        3,
    )


def test_a_failure_pattern_fails_a_command_that_exits_0(command):
    command.log("Traceback (most recent call last):", "  File x", "KeyError: 3")

    verdict = command.judge()

    assert verdict.reason is FailureReason.ERROR
    assert verdict.message.endswith("Traceback (most recent call last):; KeyError: 3")


def test_a_failure_pattern_may_be_out_of_memory(command):
    command.log("torch.OutOfMemoryError: CUDA out of memory.")

    assert command.judge().reason is FailureReason.OOM


def test_a_search_may_print_a_traceback_and_go_on(traversal):
    traversal.log("Traceback (most recent call last):", "KeyError: 3")
    traversal.measure()

    assert isinstance(traversal.judge(), Done)


def test_a_missing_trial_fails_validation_and_is_named(traversal):
    traversal.log()

    verdict = traversal.judge()

    assert (verdict.reason, "baseline: no result" in verdict.message) == (FailureReason.VALIDATION, True)


def test_a_failed_trial_fails_validation(traversal):
    traversal.log()
    traversal.measure()
    traversal.measure(status="failed", error="image 1 is black")

    assert "image 1 is black" in traversal.judge().message


@pytest.mark.parametrize(
    ("ended", "reason"),
    [
        ({"code": None, "signal": 9}, FailureReason.KILLED),
        ({"code": None, "signal": 15, "reason": "hang"}, FailureReason.HANG),
        ({"code": 0, "reason": "timeout"}, FailureReason.TIMEOUT),
        ({"code": 4}, FailureReason.OOM),
    ],
)
def test_reasons(traversal, ended, reason):
    traversal.log("step 3 of 10", sentinel=False)

    assert traversal.judge(traversal.exit(**ended)).reason is reason


def test_a_worker_that_finished_before_it_was_stopped_is_done(command):
    command.log()

    assert isinstance(command.judge(command.exit(reason="stopped")), Done)


def test_a_sentinel_far_from_the_end_is_written_again_where_later_runs_look(command):
    command.log()
    with command.paths.log.open("a") as file:
        file.write("cleaning up\n" * 1000)

    assert isinstance(command.judge(), Done)
    assert success_sentinel(command.grid.config, command.task).encode() in read_tail(command.paths.log, 4096)


def test_bytes_that_are_not_text_do_no_harm(command):
    command.paths.log.write_bytes(b"\xff\xfe\x00\x80\nfinished a\n")

    assert isinstance(command.judge(), Done)


def test_secrets_are_masked_in_the_message(command, monkeypatch):
    monkeypatch.setenv("MY_API_KEY", "correct-horse")
    command.log("ValueError: bad key correct-horse", sentinel=False)

    assert command.judge(command.exit(code=1)).message == "ValueError: bad key [redacted]"


def test_a_long_message_is_cut(command):
    command.log("ValueError: " + "x" * 9000, sentinel=False)

    assert len(command.judge(command.exit(code=1)).message) == 500


def test_the_digest_is_the_one_that_the_attempt_began_with(command):
    command.log()

    verdict = command.judge(running=command.running(digest="before"))

    assert (verdict.digest, verdict.parts) == ("before", None)


def test_a_failure_keeps_what_a_retry_needs(command):
    command.log(sentinel=False)

    verdict = command.judge(
        command.exit(attempt=3, code=1), command.running(attempt=3, batch_size=2, gpu="GPU-1")
    )

    assert isinstance(verdict, Failed)
    assert (verdict.attempt, verdict.batch_size, verdict.gpu, verdict.nonce) == (3, 2, "GPU-1", "nonce3")


def test_the_measured_share_is_the_attempts_timed_seconds_over_its_time(traversal):
    traversal.log()
    # An earlier attempt's, then this one's as they grow
    traversal.measure(attempt=2, timed_seconds=99.0)
    traversal.measure(timed_seconds=1.0)
    traversal.measure(timed_seconds=2.0)

    assert traversal.judge().measured_share == 2.0 / 2.5


def test_an_attempt_that_measured_nothing_has_no_share(traversal, command):
    traversal.log()
    traversal.measure(attempt=2, timed_seconds=99.0)
    command.log()

    assert (traversal.judge().measured_share, command.judge().measured_share) == (0.0, None)
