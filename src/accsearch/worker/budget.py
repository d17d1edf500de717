"""How much a search may measure: a number of trials, or seconds of generation."""

from dataclasses import dataclass


@dataclass
class Budget:
    """`limit` is a number of trials, or seconds as a float; None for no limit. `seconds` and `trials` are spent."""

    limit: int | float | None
    seconds: float = 0.0
    trials: int = 0

    @property
    def spent(self) -> bool:
        """Say whether nothing more is to be measured."""
        if isinstance(self.limit, int):
            return self.trials >= self.limit
        return self.limit is not None and self.seconds >= self.limit
