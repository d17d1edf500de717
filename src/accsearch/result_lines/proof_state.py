"""How far a search's proof got under one limit: the trials that may still be faster than its answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accsearch.result_lines.candidates import TaskResults, prompts_to_settle
from accsearch.result_lines.line import ResultLine
from accsearch.result_lines.proof import OpenState
from accsearch.task import BASELINE


@dataclass(frozen=True, slots=True)
class OpenTrial:
    """A trial that may be faster than the answer; what is unknown of it is None."""

    trial: str
    state: OpenState
    speedup: float | None = None
    score_loss: float | None = None
    prompts_needed: int | None = None
    """About how many prompts would settle that its loss is within the limit; None where no number would."""


@dataclass(frozen=True, slots=True)
class ProofState:
    """The trials left open, the fastest first; `ended` says why some were not reached, as in `Proof`.

    `answers` are the search's answers under this limit and stricter ones.
    """

    confidence: float
    confirm: bool
    ended: str | None
    open: tuple[OpenTrial, ...]
    answers: frozenset[str] = frozenset()

    def accepts(self, line: ResultLine) -> bool:
        """Say whether a trial may count as within the limit: it was confirmed for it, or is the baseline."""
        if not self.confirm or line.trial == BASELINE:
            return True
        return line.confirmed is not None and (self.ended == "unfinished" or line.trial in self.answers)

    @property
    def complete(self) -> bool:
        """Say whether every trial that may be faster than the answer was excluded."""
        return not self.open

    def to_json(self) -> dict[str, Any]:
        """Return the state as `best --json` prints it."""
        keys = ("trial", "state", "speedup", "score_loss", "prompts_needed")
        return {
            "complete": self.complete,
            "confidence": self.confidence,
            "ended": self.ended,
            "open": [{key: getattr(each, key) for key in keys} for each in self.open],
        }


def proof_state(results: TaskResults, max_loss: float) -> ProofState | None:
    """Return what the task's search left open under a limit, None where it did not search for that limit."""
    proof = results.baseline.search if results.baseline is not None else None
    bound = proof.of(max_loss) if proof is not None else None
    if proof is None or bound is None:
        return None
    # Trials that were listed after the search.
    unknown: Mapping[str, OpenState] = {
        trial.id: "not reached" for trial in results.task.trials if trial.id not in results.lines
    }
    found = [_open(results, trial, state, max_loss) for trial, state in {**unknown, **bound.open}.items()]
    found.sort(key=lambda each: -(each.speedup or 0.0))
    answers = frozenset(each.trial for each in proof.bounds if each.trial and each.max_loss <= max_loss)
    return ProofState(proof.confidence, proof.confirm, proof.ended, tuple(found), answers)


def _open(results: TaskResults, trial: str, state: OpenState, max_loss: float) -> OpenTrial:
    line = results.lines.get(trial)
    if line is None or state == "not reached":
        return OpenTrial(trial, state)
    needed = prompts_to_settle(results, line, max_loss) if state == "unresolved" else None
    return OpenTrial(trial, state, line.speedup, line.score_loss, needed)
