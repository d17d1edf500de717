"""Which trials the upper-bound search leaves out."""

from typing import Any

import pytest

from accsearch.results.line import ResultLine
from accsearch.task import Methods, Trial
from accsearch.worker.strategy import EveryTrial, Strategy, UpperBound, saves_more, surely_slower


def deepcache(interval: int, branch: int = 0) -> Methods:
    return {"deepcache": {"cache_interval": interval, "cache_branch_id": branch}}


def tome(ratio: float) -> Methods:
    return {"tome": {"ratio": ratio, "max_downsample": 1}}


def line(trial: Trial, loss: float, speedup: float, **changes: Any) -> ResultLine:
    return ResultLine(
        **{
            "task": "t",
            "trial": trial.id,
            "key": "k",
            "attempt": 1,
            "methods": trial.methods,
            "status": "ok",
            "speedup": speedup,
            "score_loss": loss,
            "score_loss_ci95": (loss - 0.001, loss + 0.001),
            "active": True,
        }
        | changes
    )


INTERVALS = [Trial(f"i{n}", deepcache(n)) for n in (2, 3, 4, 5, 6, 7, 8)]


def explore(
    order: Strategy, losses: dict[str, float], speedups: dict[str, float]
) -> tuple[list[str], list[str]]:
    measured, pruned = [], []
    while (trial := order.next()) is not None:
        measured.append(trial.id)
        order.seen(line(trial, losses[trial.id], speedups[trial.id]))
        pruned += [left.id for left, _ in order.pruned()]
    return measured, pruned


def test_every_trial_measures_all_in_order() -> None:
    order = EveryTrial(INTERVALS)

    measured, pruned = explore(order, {t.id: 1.0 for t in INTERVALS}, {t.id: 1.0 for t in INTERVALS})

    assert measured == [trial.id for trial in INTERVALS]
    assert pruned == []


def test_upper_bound_halves_a_chain_to_the_same_answer() -> None:
    losses = {f"i{n}": 0.002 * n for n in range(2, 9)}
    speedups = {f"i{n}": float(n) for n in range(2, 9)}

    measured, pruned = explore(UpperBound(INTERVALS, [0.0115]), losses, speedups)

    assert len(measured) == 3
    assert max((n for n in measured if losses[n] <= 0.0105), key=speedups.__getitem__) == "i5"
    assert sorted(measured + pruned) == sorted(losses)


def test_another_method_may_fix_what_one_breaks() -> None:
    alone = Trial("alone", {"deepcache": {"cache_interval": 3, "cache_branch_id": 0}})
    fixed = Trial("fixed", {**alone.methods, "tgate": {"gate_step": 8}})
    stronger = Trial("stronger", {"deepcache": {"cache_interval": 5, "cache_branch_id": 0}})
    order = UpperBound([alone, fixed, stronger], [0.01])

    order.seen(line(alone, 0.12, 2.3))

    assert [trial.id for trial, _ in order.pruned()] == ["stronger"]


def test_what_is_unresolved_prunes_nothing() -> None:
    order = UpperBound(INTERVALS, [0.01])
    chosen = order.next()
    assert chosen is not None

    order.seen(line(chosen, 0.01, 2.0, score_loss_ci95=(0.0, 0.02)))

    assert list(order.pruned()) == []


@pytest.mark.parametrize("change", [{"active": False}, {"speedup": 0.9}, {"status": "failed"}])
def test_what_is_no_upper_bound_leaves_slower_ones_in(change: dict[str, Any]) -> None:
    order = UpperBound(INTERVALS, [0.01])
    chosen = order.next()
    assert chosen is not None

    order.seen(line(chosen, 0.0, **{"speedup": 2.0, **change}))

    assert list(order.pruned()) == []


def test_a_target_ends_the_search() -> None:
    order = UpperBound(INTERVALS, [0.5], target_speedup=2.0)
    chosen = order.next()
    assert chosen is not None

    order.seen(line(chosen, 0.0, 2.5, speedup_ci95=(2.1, 2.9)))

    assert order.next() is None
    assert len(list(order.pruned())) == len(INTERVALS) - 1


@pytest.mark.parametrize("interval", [(1.9, 3.1), (0.56, 5.86), None])
def test_a_target_met_by_the_mean_alone_does_not(interval: tuple[float, float] | None) -> None:
    order = UpperBound(INTERVALS, [0.5], target_speedup=2.0)
    chosen = order.next()
    assert chosen is not None

    order.seen(line(chosen, 0.0, 2.5, speedup_ci95=interval))

    assert not any("target" in why for _, why in order.pruned())


def test_methods_are_compared_parameter_by_parameter() -> None:
    both = {**deepcache(3), **tome(0.5)}

    assert saves_more(deepcache(3), deepcache(2))
    assert saves_more(deepcache(3, branch=0), deepcache(3, branch=3))
    assert not saves_more(deepcache(3, branch=3), deepcache(2, branch=0))
    assert not saves_more(deepcache(3), deepcache(3))
    assert saves_more(both, deepcache(3))
    assert not saves_more(deepcache(5), both)
    assert not saves_more({"half": {"dtype": "float16"}}, {"half": {"dtype": "bfloat16"}})


def test_merging_tokens_may_slow_down_so_it_proves_nothing_slower() -> None:
    both = {**deepcache(3), **tome(0.5)}

    assert surely_slower(tome(0.5), both)
    assert not surely_slower(deepcache(3), both)
