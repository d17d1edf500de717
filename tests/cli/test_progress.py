"""What a run says of the attempts that end: each message once."""

from accsearch.checkpoint.markers import Failed
from accsearch.cli.progress import Endings
from accsearch.task import Task


def failed(task: Task, attempt: int, message: str) -> Failed:
    return Failed(
        task=task.id,
        config=task.config,
        digest="",
        attempt=attempt,
        reason="error",
        message=message,
        gpu=None,
        log="",
        finished_at="",
    )


def test_a_message_is_printed_once_and_then_referred_to() -> None:
    endings = Endings()
    one, two = (Task(name, "c", {}, "") for name in ("a", "b"))
    long = "RuntimeError: the same long story"

    lines = [
        endings.line(one, failed(one, 3, long)),
        endings.line(two, failed(two, 1, long)),
        endings.line(one, failed(one, 4, long)),
        endings.line(two, failed(two, 2, "another")),
    ]

    assert lines == [
        f"failed: c/a: error: {long}",
        "failed: c/b: error, as c/a",
        "failed: c/a: error, again",
        "failed: c/b: error: another",
    ]
