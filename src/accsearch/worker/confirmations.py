"""Candidates measured again, in turn with the baseline, on prompts and seeds that the search has not seen."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Protocol

from accsearch.config.schema import WorkerConfig
from accsearch.result_lines.confirmed import Confirmed
from accsearch.result_lines.line import ResultLine
from accsearch.result_lines.stats import paired_loss_interval, relative_loss
from accsearch.search.measure import Confirmation
from accsearch.task import Trial
from accsearch.worker.batches import Batch, scores_of
from accsearch.worker.fresh_prompts import FreshPrompts
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.paired_times import Speedup, pairs_needed, speedup


class Pair(Protocol):
    """Generates a batch of a portion of fresh prompts by the baseline and by a trial, which may go first."""

    def __call__(self, portion: LoadedTask, number: int, *, first: bool) -> tuple[Batch, Batch]: ...


@dataclass
class _Evidence:
    """Scores of each fresh prompt so far, and log(baseline / trial) of each batch's seconds."""

    scores: list[float] = field(default_factory=list)
    baseline_scores: list[float] = field(default_factory=list)
    log_ratios: list[float] = field(default_factory=list)


class Confirmations:
    """Confirms trials on the portions of `fresh`, continuing where an earlier look or attempt ended.

    `stored` are lines of earlier attempts, by trial, some of which hold a confirmation. The first `worker.warmup`
    batches of a trial do not count as times. Where too few do for an interval of `worker.ci_width`, batches are timed
    again, as many as `paired_times` asks for.
    """

    def __init__(
        self, fresh: FreshPrompts, batch_size: int, worker: WorkerConfig, stored: Mapping[str, ResultLine]
    ) -> None:
        self._fresh = fresh
        self._size = batch_size
        self._worker = worker
        self._found: dict[str, _Evidence] = {}
        self._plain_scores: dict[tuple[int, int], tuple[float, ...]] = {}
        for trial, line in stored.items():
            known = line.confirmed
            if known is not None and known.seed == fresh.seed and len(known.scores) % fresh.size == 0:
                self._found[trial] = _Evidence(
                    list(known.scores), list(known.baseline_scores), list(known.log_ratios)
                )

    def confirm(self, trial: Trial, prompts: int, pair: Pair) -> Confirmation:
        """Return scores and speed-up on the first `prompts` fresh prompts, by whole portions of them."""
        found = self._found.setdefault(trial.id, _Evidence())
        while len(found.scores) < prompts:
            self._add(found, len(found.scores) // self._fresh.size, pair)
        self._time(found, pair)
        gain = self._speedup(found)
        return Confirmation(tuple(found.baseline_scores), tuple(found.scores), gain.value, gain.interval)

    def confirmed(self, trial: Trial) -> Confirmed:
        """Return what the line of a confirmed trial holds."""
        found = self._found[trial.id]
        gain = self._speedup(found)
        return Confirmed(
            gain.value,
            gain.interval,
            relative_loss(fmean(found.baseline_scores), fmean(found.scores)),
            paired_loss_interval(found.baseline_scores, found.scores),
            prompts=len(found.scores),
            seed=self._fresh.seed,
            repeated=self._fresh.repeated(len(found.scores)),
            scores=tuple(found.scores),
            baseline_scores=tuple(found.baseline_scores),
            log_ratios=tuple(found.log_ratios),
        )

    def _add(self, found: _Evidence, number: int, pair: Pair) -> None:
        portion = self._fresh.portion(number)
        ratios = []
        for batch in range(len(portion.workload.batches(self._size))):
            base, own = pair(portion, batch, first=batch % 2 == 1)
            place = (number, batch)
            if place not in self._plain_scores:
                self._plain_scores[place] = scores_of(portion, base)
            found.baseline_scores += self._plain_scores[place]
            found.scores += scores_of(portion, own)
            ratios.append(math.log(base.seconds / own.seconds))
        found.log_ratios += ratios if found.log_ratios else ratios[self._worker.warmup :] or ratios

    def _time(self, found: _Evidence, pair: Pair) -> None:
        """Time full batches of the first portion again until the interval is narrow enough, or the cap."""
        portion = self._fresh.portion(0)
        pilot, cap = self._pilot_and_cap
        while (count := len(found.log_ratios)) < pilot or count < pairs_needed(
            found.log_ratios, pilot, self._worker.ci_width, cap
        ):
            number = count % (self._fresh.size // self._size)
            base, own = pair(portion, number, first=count % 2 == 1)
            found.log_ratios.append(math.log(base.seconds / own.seconds))

    @property
    def _pilot_and_cap(self) -> tuple[int, int]:
        return self._worker.repeats, max(self._worker.repeats, self._worker.max_repeats)

    def _speedup(self, found: _Evidence) -> Speedup:
        return speedup(found.log_ratios, *self._pilot_and_cap)
