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
        self.answer: tuple[Race, Confirmation, float] | None = None

    def best(self) -> Race | None:
        """Return the fastest candidate that may still be confirmed."""
        return next(fastest_first(race for race in self.candidates if race.trial.id not in self.tried), None)
