"""A winner measured again on fresh prompts and seeds, as its result line holds it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from accsearch.result_lines.stats import Interval


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The figures of a confirmation, and the scores and times that they rest on.

    `seed` is that of the first image. `repeated` of the `prompts` had been seen before, with other seeds, since the
    source had no more: the figures then hold for new images rather than for new prompts. `scores` and `baseline_scores`
    are those of each prompt, `log_ratios` the log(baseline / trial) of each batch's seconds.
    """

    speedup: float
    speedup_ci95: Interval | None
    score_loss: float | None
    score_loss_ci95: Interval | None
    prompts: int
    seed: int
    repeated: int = 0
    scores: tuple[float, ...] = ()
    baseline_scores: tuple[float, ...] = ()
    log_ratios: tuple[float, ...] = ()

    def to_json(self, *, evidence: bool = True) -> dict[str, Any]:
        """Return the confirmation as a JSON object; without `evidence` it leaves out single scores and times."""
        figures = {
            "speedup": self.speedup,
            "speedup_ci95": self.speedup_ci95 and list(self.speedup_ci95),
            "score_loss": self.score_loss,
            "score_loss_ci95": self.score_loss_ci95 and list(self.score_loss_ci95),
            "prompts": self.prompts,
            "seed": self.seed,
            "repeated": self.repeated,
        }
        if not evidence:
            return figures
        return figures | {name: list(getattr(self, name)) for name in _EVIDENCE}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; raises ValueError or TypeError if it is something else."""
        known = {name: value[name] for name in cls.__dataclass_fields__ if name in value}
        for name in ("speedup_ci95", "score_loss_ci95"):
            known[name] = None if known.get(name) is None else tuple(map(float, known[name]))
        for name in _EVIDENCE:
            known[name] = tuple(map(float, known.get(name) or ()))
        return cls(**known)


_EVIDENCE = ("scores", "baseline_scores", "log_ratios")
