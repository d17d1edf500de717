"""Which task starts next."""

from pathlib import Path

from accsearch.config.schema import Config
from accsearch.scheduler.backlog import Backlog
from accsearch.scheduler.durations import Sample, TimeModel
from accsearch.scheduler.policy import Tries
from accsearch.scheduler.slots.queued import QueuedTask
from accsearch.task import Task
from accsearch.workdir import WorkDir

CONFIG = Config(name="c", grid={"pipe": ("A", "B"), "n": ("1", "2", "3")})


def queued(pipe: str, name: str, **fields: float) -> QueuedTask:
    task = Task(f"{pipe}_{name}", "c", {"pipe": pipe, "n": name}, "d")
    made = QueuedTask(task, CONFIG, WorkDir(Path("w")).task("c", task.id), frozenset(), Tries())
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def order(backlog: Backlog, now: float = 0.0, pipe: str | None = None) -> list[str]:
    found = []
    while (each := backlog.pop(now, lambda _: True, pipe)) is not None:
        found.append(each.task.id)
    return found


def timed(**seconds: float) -> TimeModel:
    return TimeModel(
        Sample(Task(name, "c", dict(zip(("pipe", "n"), name.split("_"), strict=True)), "d"), value)
        for name, value in seconds.items()
    )


def test_unknown_times_keep_the_given_order() -> None:
    names = ["3", "1", "2"]
    assert order(Backlog([queued("A", name) for name in names], TimeModel())) == ["A_3", "A_1", "A_2"]


def test_the_longest_comes_first() -> None:
    backlog = Backlog([queued("A", name) for name in "123"], timed(A_1=1.0, A_2=9.0, A_3=4.0))
    assert order(backlog) == ["A_2", "A_3", "A_1"]


def test_what_finishes_changes_the_order_of_the_rest() -> None:
    backlog = Backlog([queued("A", name) for name in "123"], timed(A_1=5.0, A_2=4.0, A_3=3.0))
    assert backlog.pop(0.0, lambda _: True) is not None
    backlog.learn(Sample(Task("A_3", "c", {"pipe": "A", "n": "3"}, "d"), 30.0))
    assert order(backlog, now=10.0) == ["A_3", "A_2"]


def test_the_pipeline_just_run_is_preferred_between_equals_only() -> None:
    times = timed(A_1=5.0, B_1=5.0, B_2=9.0)
    pending = [queued("A", "1"), queued("B", "1"), queued("B", "2")]
    assert order(Backlog(pending, times), pipe="A") == ["B_2", "A_1", "B_1"]
    assert order(Backlog(pending, times), pipe="B") == ["B_2", "B_1", "A_1"]


def test_a_retry_waits_its_time_and_lets_others_pass() -> None:
    backlog = Backlog([queued("A", "1", not_before=5.0), queued("A", "2")], TimeModel())
    assert order(backlog, now=1.0) == ["A_2"]
    assert backlog.next_retry(1.0) == 4.0
    assert order(backlog, now=5.0) == ["A_1"]
    assert backlog.next_retry(5.0) is None


def test_a_task_that_does_not_fit_is_left() -> None:
    backlog = Backlog([queued("A", "1"), queued("B", "1")], TimeModel())
    found = backlog.pop(0.0, lambda each: each.task.axes["pipe"] == "B")
    assert found is not None
    assert found.task.id == "B_1"
    assert len(backlog) == 1


def test_what_comes_back_takes_its_place_among_the_others() -> None:
    backlog = Backlog([queued("A", name) for name in "123"], timed(A_1=1.0, A_2=9.0, A_3=4.0))
    first = backlog.pop(0.0, lambda _: True)
    second = backlog.pop(0.0, lambda _: True)
    assert first is not None and second is not None
    backlog.add(second)
    backlog.add(first)
    assert order(backlog) == ["A_2", "A_3", "A_1"]


def test_many_tasks_are_not_sorted_anew_for_each_that_ends_or_comes_back() -> None:
    # Given a thousand tasks, of which one ends and one comes back each second
    class Counting(TimeModel):
        predictions = 0

        def predict(self, task: Task) -> float | None:
            Counting.predictions += 1
            return super().predict(task)

    backlog = Backlog([queued("A", str(number)) for number in range(1000)], Counting())
    for second in range(100):
        ended = backlog.pop(float(second), lambda _: True)
        back = backlog.pop(float(second), lambda _: True)
        assert ended is not None and back is not None
        backlog.learn(Sample(ended.task, 1.0))
        backlog.add(back)
    # Then all of them are predicted every ten seconds at most
    assert Counting.predictions < 1000 + 100 + 11 * 1000
