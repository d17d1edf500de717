"""What an upper-bound search found, and how far its proof got."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from accsearch.search.measure import Confirmation
from accsearch.task import Trial


class Fate(StrEnum):
    """What became of a configuration."""

    EXCLUDED = "excluded"
    """Its loss is above every limit that was still open."""
    SLOWER = "slower"
    """It takes longer than an answer, by measurement or by the prediction's band."""
    UNRESOLVED = "unresolved"
    """After all prompts its loss is neither above nor within a limit that it was measured for."""
    WITHIN = "within"
    """After all prompts its loss is within some limit."""
    FAILED = "failed"
    """It could not be measured."""
    NOT_REACHED = "not reached"
    """The budget ended first."""


@dataclass(frozen=True)
class Settled:
    """A configuration's state, the reason in words with its figures, and the prompts it was measured on."""

    trial: Trial
    state: Fate
    why: str
    prompts: int = 0


@dataclass(frozen=True)
class Bound:
    """The upper bound under one limit.

    `trial` is None where no configuration is within the limit and confirmed: then the baseline is the answer. `faster`
    are ids of configurations that may be faster and are not excluded: unresolved, not reached, or not confirmed.
    """

    limit: float
    trial: Trial | None
    speedup: float = 1.0
    confirmation: Confirmation | None = None
    loss_upper: float | None = None
    """Upper end of the confirmed loss, at the risk that the confirmation had."""
    faster: tuple[str, ...] = ()

    @property
    def certified(self) -> bool:
        """Say whether everything predicted or measured faster is excluded."""
        return not self.faster


@dataclass(frozen=True)
class SearchResult:
    """The bound of each limit and the state of each configuration, by id."""

    bounds: tuple[Bound, ...]
    settled: Mapping[str, Settled]
    band: float
    """Half-width of the prediction's band at the end, as a logarithm."""
    traced: tuple[str, ...] = field(default=())
