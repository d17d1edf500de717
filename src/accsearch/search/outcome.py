"""What an upper-bound search found, and how far its proof got."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

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
    INACTIVE = "inactive"
    """Its images are the baseline's, so that it accelerates nothing."""
    NOT_REACHED = "not reached"
    """The search ended first, by its budget or because the target was reached."""


@dataclass(frozen=True)
class Settled:
    """A configuration's state, the reason in words with its figures, and the prompts it was measured on.

    `predicted` is the time that its calls say, as a share of the baseline's; None where nothing could be predicted.
    """

    trial: Trial
    state: Fate
    why: str
    prompts: int = 0
    predicted: float | None = None


@dataclass(frozen=True)
class Bound:
    """The upper bound under one limit.

    `trial` is None where no configuration is within the limit and confirmed: then the baseline is the answer. `faster`
    are ids of configurations that may be faster and are not excluded: unresolved, not reached, or `unconfirmed`, which
    is what is within the limit by the search's own prompts alone.
    """

    limit: float
    trial: Trial | None
    speedup: float = 1.0
    confirmation: Confirmation | None = None
    loss_upper: float | None = None
    """Upper end of the confirmed loss, at the risk that the confirmation had."""
    faster: tuple[str, ...] = ()
    unconfirmed: frozenset[str] = frozenset()

    @property
    def certified(self) -> bool:
        """Say whether everything predicted or measured faster is excluded."""
        return not self.faster


@dataclass(frozen=True)
class SearchResult:
    """The bound of each limit and the state of each configuration, by id; `ended` says what ended it early."""

    bounds: tuple[Bound, ...]
    settled: Mapping[str, Settled]
    band: float
    """Half-width of the prediction's band at the end, as a logarithm."""
    traced: tuple[str, ...] = field(default=())
    ended: Literal["budget", "target"] | None = None


class Progress(Protocol):
    """Hears what the search finds, as it finds it."""

    def settled(self, settled: Settled) -> None:
        """Hear what became of a configuration."""
        ...

    def confirmed(self, trial: Trial, limit: float, found: Confirmation, *, holds: bool) -> None:
        """Hear how a candidate did on fresh prompts: whether it is surely within the limit."""
        ...


class Silent:
    """Does nothing with what it hears."""

    def settled(self, settled: Settled) -> None:
        """Ignore it."""

    def confirmed(self, trial: Trial, limit: float, found: Confirmation, *, holds: bool) -> None:
        """Ignore it."""
