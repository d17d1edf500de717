"""A device whose configurations have known times and losses, by hand."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from accsearch.methods.info import Kind
from accsearch.search.costs import Trace
from accsearch.search.measure import Batch, Confirmation, Unmeasurable
from accsearch.search.race import Race
from accsearch.task import BASELINE, Trial

BATCH = 4


@dataclass
class FakeDevice:
    """`costs` gives a kind's seconds, `calls` each configuration's calls, `losses` its true relative loss."""

    costs: Mapping[Kind, float]
    calls: Mapping[str, tuple[Kind, ...]]
    losses: Mapping[str, float]
    slower: Mapping[str, float] = field(default_factory=dict)
    """By which factor a configuration takes longer than its calls say."""
    broken: frozenset[str] = frozenset()
    idle: frozenset[str] = frozenset()
    """Those that change nothing."""
    disturbed: Mapping[str, float] = field(default_factory=dict)
    """By which factor the machine was slower while a configuration's batches ran, but not beside the baseline's."""
    shared_error: float = 0.0
    noise: float = 0.02
    most_calls: float = math.inf
    seed: int = 0

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.measured: list[str] = []
        self.spent = 0

    def seconds(self, id_: str) -> float:
        return sum(self.costs[kind] for kind in self.calls[id_]) * self.slower.get(id_, 1.0)

    def trace(self, trial: Trial) -> Trace:
        self._spend(trial)
        kinds = self.calls[trial.id]
        return Trace(kinds, tuple(self.costs[kind] for kind in kinds), self.seconds(trial.id))

    def batch(self, trial: Trial, number: int) -> Batch:
        self._spend(trial)
        made = self._run(trial)
        seconds = made.seconds * self.disturbed.get(trial.id, 1.0)
        changed = trial.id not in self.idle
        return replace(made, seconds=seconds, changed=changed, shared_error=self.shared_error)

    def log_ratios(self, trial: Trial) -> Sequence[float]:
        self._spend(trial)
        return [math.log(self.seconds(BASELINE) / self.seconds(trial.id)) + self.rng.gauss(0, 0.001)] * 2

    def confirm(self, trial: Trial, prompts: int) -> Confirmation:
        self._spend(trial)
        race = Race(trial)
        for _ in range(prompts // BATCH):
            race.add(self._run(trial))
        return Confirmation(
            tuple(race.baseline_scores), tuple(race.scores), 1 / race.relative_seconds, (1.0, 2.0)
        )

    def exhausted(self) -> bool:
        return self.spent >= self.most_calls

    def _run(self, trial: Trial) -> Batch:
        baseline = [30 + self.rng.gauss(0, 1) for _ in range(BATCH)]
        lost = self.losses[trial.id]
        scores = [value * (1 - lost + self.rng.gauss(0, self.noise)) for value in baseline]
        return Batch(
            self.seconds(trial.id) * math.exp(self.rng.gauss(0, 0.005)),
            self.seconds(BASELINE) * math.exp(self.rng.gauss(0, 0.005)),
            tuple(scores),
            tuple(baseline),
        )

    def _spend(self, trial: Trial) -> None:
        if trial.id in self.broken:
            raise Unmeasurable("out of order")
        self.spent += 1
        self.measured.append(trial.id)
