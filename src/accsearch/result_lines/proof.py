"""What an upper-bound search proved, as the baseline's result line holds it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

OpenState = Literal["unresolved", "unconfirmed", "not reached"]
"""Why a trial may still be faster than the answer: its loss is undecided, did not hold when it was measured again on
fresh prompts, or was not measured before the search ended."""


@dataclass(frozen=True, slots=True)
class LimitProof:
    """The answer under one limit, None where it is the baseline, and which trials may be faster, each with why."""

    max_loss: float
    trial: str | None
    open: Mapping[str, OpenState]


@dataclass(frozen=True, slots=True)
class Proof:
    """The answers of one search; `ended` says why trials were not reached, None if the search was done.

    `band` is the half-width of the time prediction's error at the end, as a logarithm.
    """

    confidence: float
    confirm: bool
    band: float
    bounds: tuple[LimitProof, ...]
    ended: Literal["budget", "target", "unfinished"] | None = None

    def of(self, max_loss: float) -> LimitProof | None:
        """Return the answer under a limit, None if the search was not for it."""
        return next((bound for bound in self.bounds if bound.max_loss == max_loss), None)

    def to_json(self) -> dict[str, Any]:
        """Return the proof as a JSON object."""
        bounds = [
            {"max_loss": bound.max_loss, "trial": bound.trial, "open": dict(bound.open)}
            for bound in self.bounds
        ]
        return {
            "confidence": self.confidence,
            "confirm": self.confirm,
            "band": self.band,
            "ended": self.ended,
            "bounds": bounds,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; raises KeyError or TypeError if it is something else."""
        bounds = tuple(LimitProof(each["max_loss"], each["trial"], each["open"]) for each in value["bounds"])
        return cls(value["confidence"], value["confirm"], value["band"], bounds, value.get("ended"))
