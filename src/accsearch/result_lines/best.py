"""The upper bound: the fastest active trial whose score loss stays within a limit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from accsearch.result_lines.candidates import Candidate, TaskResults, by_pipe, by_task, prompts_to_settle
from accsearch.result_lines.proof_state import ProofState, proof_state
from accsearch.result_lines.remarks import counted, remarks
from accsearch.result_lines.stats import Interval
from accsearch.task import Methods

Decision = Literal["within", "unresolved", "exceeds"]


FIGURES = ("speedup", "speedup_ci95", "score_loss", "score_loss_ci95")


@dataclass(frozen=True, slots=True)
class Best:
    """One row of `best`; `scope` is `task` or `pipe`, `name` the task's or pipe's own."""

    scope: Literal["task", "pipe"]
    name: str
    config: str
    reference: str
    max_loss: float
    decision: Decision
    candidate: Candidate
    prompts_needed: int | None = None
    """About how many prompts would settle an unresolved loss at this limit; None where no number would."""
    in_plan: bool = True
    other: str | None = None
    proof: ProofState | None = None
    """How far a search got in proving this row's limit, None where there was none for it."""

    @property
    def methods(self) -> Methods:
        return self.candidate.line.methods

    def to_json(self) -> dict[str, Any]:
        """Return the row as `best --json` prints it; `found_in` is the task that the trial belongs to.

        Speed-up and loss of a confirmed trial are those of its confirmation, `won` has those that it won by.
        """
        found, line = self.candidate, self.candidate.line
        won = {name: getattr(line, name) for name in FIGURES} if line.confirmed else None
        return {
            self.scope: self.name,
            "config": self.config,
            "max_loss": self.max_loss,
            "decision": self.decision,
            "trial": found.line.trial,
            "methods": found.line.methods,
            "speedup": found.speedup,
            "score_loss": found.score_loss,
            "speedup_ci95": found.speedup_ci95 and list(found.speedup_ci95),
            "score_loss_ci95": found.score_loss_ci95 and list(found.score_loss_ci95),
            "reference": self.reference,
            "found_in": found.task,
            "prompts_needed": self.prompts_needed,
            "in_plan": self.in_plan,
            "other_setting": self.other,
            "confirmed": line.confirmed and line.confirmed.to_json(evidence=False),
            "won": won,
            "proof": self.proof and self.proof.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows, and in `notes` one line for each task that could not take part."""

    rows: tuple[Best, ...]
    notes: tuple[str, ...]


def decide(loss: float | None, interval: Interval | None, limit: float) -> Decision:
    """Say whether a loss is within `limit`: the whole interval below it, above it, or neither.

    Without an interval (a single prompt) nothing is proven within: a loss at or under the limit is
    unresolved, one over it exceeds. Without a score at all it is unresolved.
    """
    if interval is not None:
        low, high = interval
        return "within" if high <= limit else "exceeds" if low > limit else "unresolved"
    return "exceeds" if loss is not None and loss > limit else "unresolved"


def reaches(interval: Interval | None, target: float) -> bool:
    """Say whether a speed-up is at least `target` beyond doubt: the whole interval, and there is one."""
    return interval is not None and interval[0] >= target


def judge(candidate: Candidate, limit: float, proof: ProofState | None) -> Decision:
    """Say whether a trial's loss is within `limit`, where a search that confirms has searched for it or not.

    What such a search has not confirmed is not within: the figures that a trial was chosen for flatter it.
    """
    decision = decide(candidate.score_loss, candidate.score_loss_ci95, limit)
    accepted = proof is None or proof.accepts(candidate.line)
    return decision if accepted or decision != "within" else "unresolved"


def best(
    results: Sequence[TaskResults],
    max_losses: Sequence[float] | Mapping[str, Sequence[float]] = (0.01,),
    *,
    per: Literal["task", "pipe"] = "task",
    reference: str | None = None,
) -> Selection:
    """Select for each task or pipe, and for each limit, the fastest trial within it.

    `max_losses` are the limits, or those of each configuration by its name. A second row follows where an `unresolved`
    trial is faster still. With `per="pipe"` every trial of the pipe's grid is compared with the baseline of one task:
    `reference` (TASK or CONFIG/TASK), or the one of most steps and, among those, of the first scheduler. Raises
    UsageError for an unknown reference.
    """
    notes: list[str] = list(counted(results))
    groups = by_task(results, notes) if per == "task" else by_pipe(results, reference, notes)
    rows = []
    for group in groups:
        base = group.base
        config = base.task.config
        for limit in max_losses[config] if isinstance(max_losses, Mapping) else max_losses:
            proof = proof_state(base, limit) if per == "task" else None
            for decision, candidate in _select(group.candidates, limit, proof):
                needed = prompts_to_settle(base, candidate.line, limit) if decision == "unresolved" else None
                rows.append(
                    Best(
                        scope=per,
                        name=group.name,
                        config=config,
                        reference=base.task.id,
                        max_loss=limit,
                        decision=decision,
                        candidate=candidate,
                        prompts_needed=needed,
                        in_plan=base.in_plan,
                        other=base.other,
                        proof=proof if decision == "within" else None,
                    )
                )
    notes += remarks(results, [(row.config, row.name, row.candidate.line) for row in rows])
    return Selection(tuple(rows), tuple(notes))


def _select(
    candidates: Sequence[Candidate], limit: float, proof: ProofState | None
) -> Iterator[tuple[Decision, Candidate]]:
    """Yield the fastest within, then the fastest unresolved if it is faster; the baseline comes first."""
    baseline, *others = candidates
    judged = [(judge(c, limit, proof), c) for c in others]
    within = max([baseline, *(c for d, c in judged if d == "within")], key=lambda c: c.speedup)
    yield "within", within
    unresolved = [c for d, c in judged if d == "unresolved" and c.speedup > within.speedup]
    if proof is not None:
        left_open = {each.trial for each in proof.open}
        unresolved = [c for c in unresolved if c.line.trial in left_open]
    if unresolved:
        yield "unresolved", max(unresolved, key=lambda c: c.speedup)
