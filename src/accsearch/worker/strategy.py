"""Which trial to measure next, and which need not be: everything, or only what may be the upper bound."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from accsearch.methods.catalogue import METHODS
from accsearch.methods.info import Parameters
from accsearch.results.best import decide, reaches
from accsearch.results.line import ResultLine
from accsearch.task import Methods, Trial


class Strategy(Protocol):
    """Decides what is measured."""

    def next(self) -> Trial | None:
        """Return the trial to measure now, None when the rest may be left out."""
        ...

    def seen(self, line: ResultLine) -> None:
        """Take the result of a trial into account."""
        ...

    def pruned(self) -> Iterator[tuple[Trial, str]]:
        """Yield each trial found needless since the last call, and why."""
        ...


class EveryTrial:
    """All trials, in their order."""

    def __init__(self, trials: Iterable[Trial]) -> None:
        self._left = list(trials)

    def next(self) -> Trial | None:
        return self._left.pop(0) if self._left else None

    def seen(self, line: ResultLine) -> None:
        """Nothing depends on it."""

    def pruned(self) -> Iterator[tuple[Trial, str]]:
        return iter(())


class UpperBound:
    """Leaves out what can hardly be the fastest trial within the limits.

    What saves more work, by the same methods, than a trial whose loss exceeds every limit will exceed them
    too (another method may repair what one breaks: T-GATE lowers the loss of DeepCache on some samplers); what
    saves less than a trial within the strictest limit will be slower. Measured next is the trial that decides most
    others whichever way it turns out. With a target, the search ends at the first trial whose interval meets it.
    """

    def __init__(
        self, trials: Iterable[Trial], limits: Iterable[float], target_speedup: float | None = None
    ) -> None:
        self._left = list(trials)
        self._limits = sorted(limits)
        self._target = target_speedup
        self._pruned: list[tuple[Trial, str]] = []

    def next(self) -> Trial | None:
        if not self._left:
            return None
        chosen = max(self._left, key=self._decides)
        self._left.remove(chosen)
        return chosen

    def _decides(self, trial: Trial) -> int:
        stronger = sum(surely_worse(other.methods, trial.methods) for other in self._left)
        weaker = sum(surely_slower(other.methods, trial.methods) for other in self._left)
        # Among equals the first in the task's order, since max keeps it.
        return min(stronger, weaker) * len(self._left) + stronger + weaker

    def seen(self, line: ResultLine) -> None:
        if line.status != "ok" or line.condition is not None:
            return
        decisions = [decide(line.score_loss, line.score_loss_ci95, limit) for limit in self._limits]
        if decisions[-1] == "exceeds":
            self._drop(
                lambda other: surely_worse(other, line.methods),
                f"saves more than {line.trial}, whose loss exceeds",
            )
        if decisions[0] == "within" and line.active is not False and (line.speedup or 0) > 1:
            self._drop(
                lambda other: surely_slower(other, line.methods),
                f"saves less than {line.trial}, which is within",
            )
        if "within" in decisions and line.active is not False and self._reaches_target(line):
            self._drop(lambda _: True, f"{line.trial} reached the target")

    def _reaches_target(self, line: ResultLine) -> bool:
        return reaches(line.speedup_ci95, self._target) if self._target is not None else False

    def _drop(self, needless: Callable[[Methods], bool], why: str) -> None:
        dropped = [trial for trial in self._left if needless(trial.methods)]
        self._left = [trial for trial in self._left if trial not in dropped]
        self._pruned += [(trial, why) for trial in dropped]

    def pruned(self) -> Iterator[tuple[Trial, str]]:
        while self._pruned:
            yield self._pruned.pop(0)


def saves_more(one: Methods, other: Methods) -> bool:
    """Say whether `one` has every method of `other` at least as strong, and is not the same."""
    return one != other and all(
        name in one and _at_least(name, one[name], parameters) for name, parameters in other.items()
    )


def surely_worse(one: Methods, other: Methods) -> bool:
    """Say whether `one` loses more than `other`: the same methods, and more work saved."""
    return one.keys() == other.keys() and saves_more(one, other)


def surely_slower(one: Methods, other: Methods) -> bool:
    """Say whether `other` does nothing that `one` does not, but leaves more work out."""
    return saves_more(other, one) and all(METHODS[name].only_skips_work for name in other.keys() - one.keys())


def _at_least(name: str, one: Parameters, other: Parameters) -> bool:
    for parameter, value in other.items():
        mine = one[parameter]
        if mine == value:
            continue
        saving = METHODS[name].parameters[parameter].saving
        if saving == 0 or isinstance(mine, str) or isinstance(value, str):
            return False
        if (mine - value) * saving < 0:
            return False
    return True
