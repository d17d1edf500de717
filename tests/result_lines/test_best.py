from dataclasses import replace

import pytest

from accsearch.errors import UsageError
from accsearch.result_lines.best import best, decide
from accsearch.result_lines.candidates import TaskResults
from accsearch.result_lines.line import ResultLine
from accsearch.task import BASELINE, Task, Trial

SCORES = (30.0, 31.0, 29.0, 30.5)


def line(trial, seconds=1.0, speedup=None, loss=None, ci=None, scores=SCORES, **changes):
    given = {"status": "ok", "times": (seconds * 0.99, seconds, seconds * 1.01), "batch_size": 4} | changes
    return ResultLine(
        task="T", trial=trial, key="k", attempt=1, methods={} if trial == BASELINE else {"tome": {}},
        seconds_per_image=seconds, speedup=speedup, score_loss=loss, score_loss_ci95=ci, scores=scores,
        clip_score=sum(scores) / len(scores) if scores else None, **given,
    )  # fmt: skip


def results(*lines, sched="DDIM", steps=50, pipe="demo", config="c"):
    task = Task(
        f"{pipe}_{sched}_{steps}",
        config,
        {"pipe": pipe, "sched": sched, "steps": steps},
        "d",
        (Trial("x", {}),),
    )
    return TaskResults(task, {each.trial: each for each in lines})


def chosen(selection):
    return [(row.decision, row.candidate.line.trial, row.candidate.speedup) for row in selection.rows]


@pytest.mark.parametrize(
    ("loss", "interval", "decision"),
    [
        (0.005, (0.001, 0.009), "within"),
        (0.005, (0.001, 0.010), "within"),
        (0.005, (-0.001, 0.011), "unresolved"),
        (0.02, (0.011, 0.03), "exceeds"),
        (0.005, None, "unresolved"),
        (0.02, None, "exceeds"),
        (None, None, "unresolved"),
    ],
)
def test_the_upper_end_decides(loss, interval, decision):
    assert decide(loss, interval, 0.01) == decision


def test_what_is_not_surely_near_the_baselines_images_takes_no_part():
    lines = (
        line(BASELINE),
        line("near", speedup=1.2, loss=0.0, ci=(0.0, 0.001), lpips=0.05),
        line("far", speedup=1.5, loss=0.0, ci=(0.0, 0.001), lpips=0.2),
        line("unmeasured", speedup=1.8, loss=0.0, ci=(0.0, 0.001)),
    )

    asked = replace(results(*lines), max_lpips=0.1)

    assert chosen(best([asked])) == [("within", "near", 1.2)]
    assert chosen(best([results(*lines)])) == [("within", "unmeasured", 1.8)]


def test_the_fastest_within_and_a_faster_unresolved():
    task = results(
        line(BASELINE),
        line("slow", speedup=1.2, loss=0.0, ci=(0.0, 0.001)),
        line("good", speedup=1.5, loss=0.002, ci=(0.0, 0.004)),
        line("maybe", speedup=2.0, loss=0.008, ci=(0.0, 0.02)),
        line("bad", speedup=3.0, loss=0.2, ci=(0.1, 0.3)),
    )

    assert chosen(best([task], [0.01])) == [("within", "good", 1.5), ("unresolved", "maybe", 2.0)]


def test_an_unresolved_trial_that_is_slower_is_not_shown():
    task = results(
        line(BASELINE),
        line("good", speedup=1.5, loss=0.0, ci=(0.0, 0.0)),
        line("maybe", speedup=1.4, loss=0.0, ci=(-1.0, 1.0)),
    )

    assert chosen(best([task])) == [("within", "good", 1.5)]


@pytest.mark.parametrize(
    "excluded",
    [{"active": False}, {"status": "failed"}, {"status": "pruned"}, {"condition": "short"}],
)
def test_with_nothing_eligible_the_baseline_stands(excluded):
    task = results(line(BASELINE), line("fast", speedup=9.0, loss=0.0, ci=(0.0, 0.0), **excluded))

    [row] = best([task]).rows

    assert row.to_json() == {
        "task": "demo_DDIM_50",
        "config": "c",
        "max_loss": 0.01,
        "decision": "within",
        "trial": "baseline",
        "methods": {},
        "speedup": 1.0,
        "score_loss": 0.0,
        "speedup_ci95": [1.0, 1.0],
        "score_loss_ci95": [0.0, 0.0],
        "reference": "demo_DDIM_50",
        "found_in": "demo_DDIM_50",
        "prompts_needed": None,
        "in_plan": True,
        "other_setting": None,
        "confirmed": None,
        "won": None,
        "proof": None,
    }


@pytest.mark.parametrize(
    "other", [{"batch_size": 8}, {"gpu_name": "H200"}, {"gpu": "GPU-2"}, {"dtype": "float16"}], ids=str
)
def test_what_an_earlier_attempt_measured_otherwise_does_not_compete(other):
    task = results(
        line(BASELINE),
        line("fast", speedup=9.0, loss=0.0, ci=(0.0, 0.0), **other),
        line("alike", speedup=1.5, loss=0.0, ci=(0.0, 0.0)),
    )

    selection = best([task])

    assert chosen(selection) == [("within", "alike", 1.5)]
    assert selection.notes == (
        "c/demo_DDIM_50: left out: 1 measured with another GPU, batch size or dtype than the baseline",
    )


def test_another_gpu_of_the_same_model_competes():
    task = results(
        line(BASELINE, gpu="GPU-1", gpu_name="H200"),
        line("fast", speedup=2.0, loss=0.0, ci=(0.0, 0.0), gpu="GPU-2", gpu_name="H200"),
    )

    assert chosen(best([task])) == [("within", "fast", 2.0)]


def test_a_trial_slower_than_the_baseline_is_no_bound():
    task = results(line(BASELINE), line("slower", speedup=0.8, loss=0.0, ci=(0.0, 0.0)))

    assert chosen(best([task])) == [("within", BASELINE, 1.0)]


def test_each_limit_has_its_own_rows():
    task = results(line(BASELINE), line("x", speedup=2.0, loss=0.03, ci=(0.02, 0.04)))

    assert [(row.max_loss, row.candidate.line.trial) for row in best([task], [0.01, 0.05]).rows] == [
        (0.01, BASELINE),
        (0.05, "x"),
    ]


def test_a_task_without_a_baseline_is_noted():
    selection = best([results(line("x", speedup=2.0))])

    assert selection.rows == ()
    assert selection.notes == ("c/demo_DDIM_50: no measured baseline",)


def test_per_pipe_compares_with_the_most_steps_of_the_first_scheduler():
    grid = [
        results(line(BASELINE, 1.0), sched="DDIM", steps=20),
        results(line(BASELINE, 2.0), sched="DDIM", steps=50),
        results(line(BASELINE, 4.0), line("x", 2.0, speedup=2.0), sched="PNDM", steps=50),
    ]

    [row] = best(grid, [0.01], per="pipe").rows

    assert row.reference == "demo_DDIM_50"
    document = row.to_json()
    assert (document["pipe"], document["found_in"], document["trial"]) == ("demo", "demo_DDIM_20", BASELINE)
    assert document["speedup"] == 2.0
    low, high = document["speedup_ci95"]
    assert low < 2.0 < high
    assert document["score_loss_ci95"] == [0.0, 0.0]


def test_per_pipe_compares_scores_prompt_by_prompt():
    worse = tuple(score * 0.9 for score in SCORES)
    grid = [results(line(BASELINE, 2.0), steps=50), results(line(BASELINE, 1.0, scores=worse), steps=20)]

    [first, second] = best(grid, [0.05, 0.11], per="pipe").rows

    assert (first.candidate.task, first.candidate.speedup) == ("demo_DDIM_50", 1.0)
    assert second.candidate.score_loss == pytest.approx(0.1)
    assert second.candidate.score_loss_ci95 == pytest.approx((0.1, 0.1))


def test_per_pipe_takes_a_named_reference():
    grid = [results(line(BASELINE, 1.0), steps=20), results(line(BASELINE, 2.0), steps=50)]

    [row] = best(grid, per="pipe", reference="c/demo_DDIM_20").rows

    assert row.reference == "demo_DDIM_20"
    with pytest.raises(UsageError, match="no such task"):
        best(grid, per="pipe", reference="demo_DDIM_99")


def test_an_ambiguous_reference_is_refused():
    grid = [results(line(BASELINE), config="a"), results(line(BASELINE), config="b")]

    with pytest.raises(UsageError, match="CONFIG/TASK"):
        best(grid, per="pipe", reference="demo_DDIM_50")


@pytest.mark.parametrize("other", [{"batch_size": 2}, {"gpu_name": "H200"}, {"dtype": "float16"}])
def test_per_pipe_leaves_out_what_was_measured_otherwise(other):
    grid = [results(line(BASELINE, 2.0), steps=50), results(line(BASELINE, 1.0, **other), steps=20)]

    selection = best(grid, per="pipe")

    assert chosen(selection) == [("within", BASELINE, 1.0)]
    assert "c/demo_DDIM_20: left out" in selection.notes[0]


def test_other_prompts_give_no_interval_so_nothing_is_settled():
    grid = [results(line(BASELINE, 2.0), steps=50), results(line(BASELINE, 1.0, scores=SCORES[:2]), steps=20)]

    decisions = chosen(best(grid, [0.5], per="pipe"))

    assert decisions == [("within", BASELINE, 1.0), ("unresolved", BASELINE, 2.0)]


def test_without_scores_speed_alone_ranks_and_that_is_said():
    task = results(
        line(BASELINE, scores=()), line("x", speedup=1.5, scores=()), line("y", speedup=2.5, scores=())
    )

    selection = best([task])

    assert chosen(selection) == [("within", BASELINE, 1.0), ("unresolved", "y", 2.5)]
    assert [row.candidate.score_loss for row in selection.rows] == [None, None]
    assert selection.notes == ("c: no score was measured: ranked by speed alone, no loss is known",)


def test_what_the_results_must_be_read_with_is_said_once():
    cut, busy = "2 of 8 prompts are longer", "another process used the GPU: pid 7"
    tasks = [
        results(
            line(BASELINE, note=f"{cut}; float32 instead" if steps == 20 else cut),
            line("x", speedup=2.0, loss=0.001, ci=(0.0, 0.002), note=f"{cut}; {busy}"),
            line("slower", speedup=1.1, loss=0.001, ci=(0.0, 0.002), note="not among the rows"),
            steps=steps,
        )
        for steps in (20, 50)
    ]

    assert best(tasks).notes == (
        f"c: {cut}",
        "c: float32 instead (1 of 2 tasks)",
        f"c/demo_DDIM_20: x: {busy}",
        f"c/demo_DDIM_50: x: {busy}",
    )
