"""What a search for the upper bound looks for, and how much it may measure and risk."""

from dataclasses import dataclass

from accsearch.search.confirming import CONFIRMING_LOOKS


@dataclass(frozen=True)
class SearchSettings:
    """What to search for: `batches` of prompts to race on, and `fresh_prompts` for the first look of a confirmation.

    Without `confirm` an answer is what the search's own prompts show to be within a limit. The search ends early with
    an answer that is surely `target` times as fast as the baseline.
    """

    limits: tuple[float, ...]
    batches: int
    fresh_prompts: int
    confidence: float = 0.95
    confirm: bool = True
    target: float | None = None

    @property
    def most_fresh_prompts(self) -> int:
        """Return how many prompts the last look of a confirmation takes."""
        return self.fresh_prompts << (CONFIRMING_LOOKS - 1)

    @property
    def half_risk(self) -> float:
        return (1 - self.confidence) / 2
