"""Expected times; tasks and times are plain numbers."""

import pytest

from accsearch.scheduler.durations import Sample, TimeModel, makespan, prior
from accsearch.task import Task, Trial

TRUE_SECONDS = {"SD1.5": 1.0, "SDXL": 4.0}


def task(pipe: str, steps: str, trials: int = 1, config: str = "c") -> Task:
    cells = tuple(Trial(str(number), {}) for number in range(trials))
    return Task(f"{pipe}_{steps}", config, {"pipe": pipe, "steps": steps}, "d", cells)


def seconds(each: Task) -> float:
    return TRUE_SECONDS[str(each.axes["pipe"])] * float(each.axes["steps"]) * max(1, len(each.trials))


def test_nothing_is_known_before_the_first_task_ends() -> None:
    assert TimeModel().predict(task("SD1.5", "20")) is None


def test_a_tasks_own_last_time_is_the_prediction() -> None:
    model = TimeModel([Sample(task("SD1.5", "20"), 7.0), Sample(task("SD1.5", "20"), 9.0)])
    assert model.predict(task("SD1.5", "20")) == 9.0


def test_one_task_predicts_more_steps_and_trials_in_proportion() -> None:
    model = TimeModel([Sample(task("SD1.5", "20", trials=2), 40.0)])
    assert model.predict(task("SD1.5", "50", trials=3)) == pytest.approx(150.0)


def test_a_product_of_axes_is_learnt_from_a_few_cells() -> None:
    known = [task("SD1.5", "20"), task("SD1.5", "50"), task("SDXL", "20")]
    model = TimeModel(Sample(each, seconds(each)) for each in known)
    unseen = task("SDXL", "50")
    assert model.predict(unseen) == pytest.approx(seconds(unseen), rel=0.05)


def test_a_number_without_influence_is_given_none() -> None:
    flat = [Task(f"t_{seed}", "c", {"seed": seed}, "d") for seed in ("1", "2", "4")]
    model = TimeModel(Sample(each, 3.0) for each in flat)
    assert model.predict(Task("t_100", "c", {"seed": "100"}, "d")) == pytest.approx(3.0)


def test_configurations_are_learnt_apart() -> None:
    model = TimeModel([Sample(task("SD1.5", "20"), 7.0)])
    assert model.predict(task("SD1.5", "20", config="other")) is None


def test_the_prior_grows_with_trials_and_steps() -> None:
    assert prior(task("SD1.5", "50", trials=3)) == pytest.approx(150.0)
    assert prior(Task("t", "c", {"name": "x"}, "d")) == 1.0


def test_makespan() -> None:
    assert makespan([4.0, 3.0, 2.0, 1.0], 2) == 5.0
    assert makespan([], 2) == 0.0


def test_of_many_samples_a_few_more_change_nothing() -> None:
    known = [Task(f"t_{number}", "c", {"seed": f"s{number}"}, "d") for number in range(200)]
    model = TimeModel(Sample(each, 3.0) for each in known)
    unseen = Task("t_x", "c", {"seed": "x"}, "d")
    before = model.predict(unseen)
    model.add(Sample(known[0], 300.0))
    assert model.predict(unseen) == before
    for each in known[1:20]:
        model.add(Sample(each, 300.0))
    after = model.predict(unseen)
    assert before is not None and after is not None and after > before
