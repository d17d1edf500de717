"""How far the search has got with one limit on the loss."""

from accsearch.search.exclusion import Fallback
from accsearch.search.measure import Confirmation
from accsearch.search.race import Race, fastest_first


class LimitState:
    """One limit: its candidates, those whose confirmation failed, and the risk left for excluding."""

    def __init__(self, value: float, fallback: Fallback) -> None:
        self.value = value
        self.fallback = fallback
        self.candidates: list[Race] = []
        self.tried: set[str] = set()
        self.answer: tuple[Race, Confirmation | None, float | None] | None = None
        """What was confirmed, its confirmation and the upper end of its loss; both None where nothing is confirmed."""

    def best(self) -> Race | None:
        """Return the fastest candidate that may still be confirmed."""
        return next(fastest_first(race for race in self.candidates if race.trial.id not in self.tried), None)

    def bar(self) -> Race | None:
        """Return what another configuration must be faster than: the answer, else the fastest candidate.

        None stands for the baseline.
        """
        return self.answer[0] if self.answer else self.best()

    def is_led_by(self, race: Race) -> bool:
        """Say whether `race` seems faster than what others must be faster than."""
        bar = self.bar()
        return bar is None or race.relative_seconds < bar.relative_seconds

    def reaches(self, target: float, risk: float) -> bool:
        """Say whether the answer is surely `target` times as fast: by its confirmation's interval, if it has one."""
        if self.answer is None:
            return False
        race, found, _ = self.answer
        if found is None:
            return race.reaches(target, risk)
        return found.speedup_ci95 is not None and found.speedup_ci95[0] >= target
