"""Replay search strategies on recorded tables: cost, regret, broken limits, and coverage of the certificate.

python benchmarks/search.py --resamples 200 benchmarks/data/search-20.jsonl.gz benchmarks/data/search-50.jsonl.gz

A resample shuffles the captions: the first `--prompts` of them are the search's, the rest are fresh ones for its
confirmation. The mean over all captions is the true loss. The true time of a configuration is the sum of its calls,
each at the median cost of its kind in the whole table, since the table's single runs were disturbed by pauses of the
host; a simulated run takes that times an error drawn from the recorded runs, together with that of the baseline's run
beside it. So the replay tells what noise does to the search, not whether the costs of calls add up. The cost of a
strategy is the device time of its runs as a share of the original traversal's, which runs every configuration once on
all prompts. Ours pays for the baseline's batches once, and for one more run of the baseline beside each configuration.

`exact` is how often the true bound is the answer, has a speed-up inside the answer's interval, or is listed as not
excluded; `covered`, how often that holds for every configuration that is truly within the limit and faster than the
answer; `certified`, how often nothing is listed. All intervals are of 95 %: of shares by Wilson's formula, of medians
and means by the percentiles of 1,000 bootstrap samples of the resamples.

Regret is how much slower than the true bound an answer is; an answer that breaks the limit counts as no answer, the
baseline, in the first column, and is left out of the second.

Strategies: `original` takes the fastest configuration whose measured mean loss is within the limit; `random`, `tpe` and
`nsga2` (Optuna's samplers, constrained by the limit) do the same after as many evaluations as cost what ours did on
the same resample; `ours` is `accsearch.search`. Optuna is no dependency of accsearch: pip install optuna.
"""

import argparse
import gzip
import json
import math
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from statistics import fmean, median
from typing import Any

from accsearch.search.calls import denoiser_calls
from accsearch.search.costs import Trace, costs_of
from accsearch.search.measure import Batch, Confirmation
from accsearch.search.outcome import SearchResult
from accsearch.search.race import Race
from accsearch.search.settings import SearchSettings
from accsearch.search.upper_bound import search
from accsearch.task import BASELINE, Trial

Tell = Callable[[float, float], None]
"""Says the speed-up and the loss of a proposed configuration."""

BATCH = 4
PAIRS = 2
"""Pairs of runs in turn by which a candidate's time is refined at once."""
BOOTSTRAPS = 1000
PATIENCE = 10
"""Proposals in a row without a new configuration after which one is drawn at random."""


@dataclass(frozen=True)
class Table:
    """A recorded table: each configuration's true relative time, scores by caption, and calls as recorded."""

    name: str
    steps: int
    trials: tuple[Trial, ...]
    seconds: Mapping[str, float]
    scores: Mapping[str, Sequence[float]]
    traces: Mapping[str, Trace]
    errors: tuple[tuple[float, float], ...]
    """Logarithms of how far a run of a batch, and the baseline's run beside it, were from their true times."""

    def loss(self, trial: str) -> float:
        """Return the true relative loss."""
        baseline = fmean(self.scores[BASELINE])
        return (baseline - fmean(self.scores[trial])) / baseline

    def best(self, limit: float) -> str:
        """Return the fastest configuration that is truly within `limit`, the baseline if none is faster."""
        within = [id_ for id_ in self.seconds if self.loss(id_) <= limit]
        return min(within, key=lambda id_: self.seconds[id_])


@cache
def load(path: Path) -> Table:
    """Read a table that `record_search_table.py` wrote."""
    with gzip.open(path, "rt") as file:
        header, *rows = map(json.loads, file)
    kinds = {row["trial"]: denoiser_calls(row["methods"], header["steps"]) for row in rows}
    traces = [Trace(kinds[row["trial"]], tuple(row["calls"]), row["calls_seconds"]) for row in rows]
    costs = costs_of(traces, median)
    seconds = {id_: costs.predict(own) or math.nan for id_, own in kinds.items()}
    # Synchronised calls take longer than a run without; only the shape of these times counts.
    scale = median(row["baseline_seconds"] for row in rows) / seconds[BASELINE]
    own = median(math.log(one / seconds[row["trial"]] / scale) for row in rows for one in row["seconds"])
    errors = [
        (
            math.log(one / seconds[row["trial"]] / scale) - own,
            math.log(row["baseline_seconds"] / seconds[BASELINE] / scale),
        )
        for row in rows
        for one in row["seconds"]
    ]
    return Table(
        name=path.name.removesuffix(".jsonl.gz"),
        steps=header["steps"],
        trials=tuple(Trial(row["trial"], row["methods"]) for row in rows if row["methods"]),
        seconds={id_: value / seconds[BASELINE] for id_, value in seconds.items()},
        scores={row["trial"]: row["scores"] for row in rows},
        traces=dict(zip(kinds, traces, strict=True)),
        errors=tuple(errors),
    )


@dataclass
class Replay:
    """Measures configurations from a table; `spent` is device time in runs of the baseline's batch."""

    table: Table
    captions: Sequence[int]
    prompts: int
    rng: random.Random
    spent: float = 0.0
    _confirmed: dict[str, list[tuple[Batch, int]]] = field(default_factory=dict)
    _timed: set[str] = field(default_factory=set)
    _generated: set[int] = field(default_factory=set)

    def trace(self, trial: Trial) -> Trace:
        self.spent += self.table.seconds[trial.id]
        return self.table.traces[trial.id]

    def batch(self, trial: Trial, number: int) -> Batch:
        if trial.id not in self._timed:
            # The baseline is timed again once for each configuration, against drift.
            self._timed.add(trial.id)
            self.spent += 1
        if number not in self._generated:
            self._generated.add(number)
            self.spent += 1
        return self._run(trial, self.captions[: self.prompts][number * BATCH : (number + 1) * BATCH])

    def log_ratios(self, trial: Trial) -> Sequence[float]:
        self.spent += PAIRS
        runs = [self._run(trial, ()) for _ in range(PAIRS)]
        return [math.log(run.baseline_seconds / run.seconds) for run in runs]

    def confirm(self, trial: Trial, prompts: int) -> Confirmation:
        fresh = self.captions[self.prompts :][:prompts]
        done = self._confirmed.setdefault(trial.id, [])
        for start in range(len(done) * BATCH, len(fresh), BATCH):
            self.spent += 1
            done.append((self._run(trial, fresh[start : start + BATCH]), start))
        race = Race(trial)
        for batch, start in done:
            if start < prompts:
                race.add(batch)
        half = race.half_width(0.025)
        center = 1 / race.relative_seconds
        interval = None if math.isinf(half) else (center * math.exp(-half), center * math.exp(half))
        return Confirmation(tuple(race.baseline_scores), tuple(race.scores), center, interval)

    def exhausted(self) -> bool:
        return False

    def _run(self, trial: Trial, captions: Sequence[int]) -> Batch:
        own, plain = self.rng.choice(self.table.errors)
        seconds = self.table.seconds[trial.id] * math.exp(own)
        self.spent += self.table.seconds[trial.id]
        scores, baseline = self.table.scores[trial.id], self.table.scores[BASELINE]
        return Batch(
            seconds,
            math.exp(plain),
            tuple(scores[c] for c in captions),
            tuple(baseline[c] for c in captions),
        )


@dataclass(frozen=True)
class Answer:
    """What a strategy answered on one resample under one limit."""

    trial: str
    cost: float
    """Share of the original traversal's cost."""
    exact: bool = True
    """The true bound was found, or its speed-up lies in the interval given, or it is listed as not excluded."""
    covered: bool = True
    """No configuration truly within the limit and faster than the answer was excluded."""
    certified: bool = True


def original_cost(table: Table, prompts: int) -> float:
    """Return the device time of the original traversal, in runs of the baseline's batch."""
    return (1 + sum(table.seconds[trial.id] for trial in table.trials)) * prompts / BATCH


def ours(
    table: Table, captions: Sequence[int], limits: Sequence[float], prompts: int, rng: random.Random
) -> list[Answer]:
    """Return our answer under each limit; each carries the cost of the one search for all of them."""
    replay = Replay(table, captions, prompts, rng)
    calls = {trial.id: denoiser_calls(trial.methods, table.steps) for trial in table.trials}
    calls[BASELINE] = denoiser_calls({}, table.steps)
    settings = SearchSettings(tuple(limits), prompts // BATCH, prompts)
    outcome = search(calls, table.trials, replay, settings)
    cost = replay.spent / original_cost(table, prompts)
    return [_judged(table, outcome, number, cost) for number in range(len(limits))]


def _judged(table: Table, outcome: SearchResult, number: int, cost: float) -> Answer:
    bound = outcome.bounds[number]
    answer = BASELINE if bound.trial is None else bound.trial.id
    truth = table.best(bound.limit)
    interval = bound.confirmation.speedup_ci95 if bound.confirmation else None
    inside = interval is not None and interval[0] <= 1 / table.seconds[truth] <= interval[1]
    missed = [
        id_
        for id_ in table.seconds
        if id_ not in (answer, *bound.faster)
        and table.loss(id_) <= bound.limit
        and table.seconds[id_] < table.seconds[answer]
        and not _interval_holds(interval, table.seconds[id_])
    ]
    exact = answer == truth or inside or truth in bound.faster
    return Answer(answer, cost, exact, not missed, bound.certified)


def _interval_holds(interval: tuple[float, float] | None, seconds: float) -> bool:
    return interval is not None and interval[0] <= 1 / seconds <= interval[1]


def original(table: Table, captions: Sequence[int], prompts: int, limit: float, rng: random.Random) -> Answer:
    """Every configuration once on all prompts; the fastest measured one whose mean loss is within the limit."""
    return _pick(table, [trial.id for trial in table.trials], captions[:prompts], limit, rng, 1.0)


def _pick(
    table: Table, ids: Sequence[str], captions: Sequence[int], limit: float, rng: random.Random, cost: float
) -> Answer:
    within = [id_ for id_ in ids if _measured_loss(table, id_, captions) <= limit]
    timed = {id_: table.seconds[id_] * math.exp(rng.choice(table.errors)[0]) for id_ in within}
    fastest = min(timed, key=timed.__getitem__, default=BASELINE)
    return Answer(fastest if timed.get(fastest, 1.0) < 1 else BASELINE, cost)


def _measured_loss(table: Table, id_: str, captions: Sequence[int]) -> float:
    before = fmean(table.scores[BASELINE][c] for c in captions)
    return (before - fmean(table.scores[id_][c] for c in captions)) / before


def at_equal_cost(
    table: Table,
    captions: Sequence[int],
    prompts: int,
    limit: float,
    rng: random.Random,
    budget: float,
    choose: "Propose",
) -> Answer:
    """Evaluate what `choose` proposes on all prompts until `budget` is spent, then pick as the original does."""
    whole, spent, seen = original_cost(table, prompts), prompts / BATCH, list[str]()
    for id_, tell in choose(table, limit, rng):
        cost = table.seconds[id_] * prompts / BATCH
        if (spent + cost) / whole > budget:
            break
        spent += cost
        seen.append(id_)
        seconds = table.seconds[id_] * math.exp(rng.choice(table.errors)[0])
        tell(1 / seconds, _measured_loss(table, id_, captions[:prompts]))
    return _pick(table, seen, captions[:prompts], limit, rng, spent / whole)


Propose = Callable[[Table, float, random.Random], Iterator[tuple[str, Tell]]]


def at_random(table: Table, _limit: float, rng: random.Random) -> Iterator[tuple[str, Tell]]:
    """Propose configurations in a random order."""
    order = [trial.id for trial in table.trials]
    rng.shuffle(order)
    for id_ in order:
        yield id_, lambda _speedup, _loss: None


def by_optuna(sampler: str) -> Propose:
    """Return what proposes configurations by one of Optuna's samplers, constrained by the limit.

    A sampler that proposes nothing new `PATIENCE` times is handed a random configuration, so that it uses its budget.
    """

    def choose(table: Table, limit: float, rng: random.Random) -> Iterator[tuple[str, Tell]]:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        seed = rng.getrandbits(31)
        if sampler == "tpe":
            study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
        else:
            made = optuna.samplers.NSGAIISampler(seed=seed, population_size=10)
            study = optuna.create_study(directions=["maximize", "minimize"], sampler=made)
        choices = _choices(table)
        ids = {_numbers(trial.methods, choices): trial.id for trial in table.trials}
        unseen, known = set(ids), dict[tuple[int, ...], tuple[float, float]]()

        def tell(asked: Any, numbers: tuple[int, ...], speedup: float, loss: float) -> None:
            known[numbers] = speedup, loss
            asked.set_constraint("loss", loss - limit)
            study.tell(asked, [speedup] if sampler == "tpe" else [speedup, loss])

        def ask() -> tuple[Any, tuple[int, ...]]:
            asked = study.ask()
            return asked, tuple(asked.suggest_categorical(n, range(len(c))) for n, c in choices.items())

        while unseen:
            for _ in range(PATIENCE):
                asked, numbers = ask()
                if numbers in unseen:
                    break
                if numbers in known:
                    tell(asked, numbers, *known[numbers])
                else:
                    study.tell(asked, state=optuna.trial.TrialState.FAIL)
            else:
                study.enqueue_trial(dict(zip(choices, rng.choice(sorted(unseen)), strict=True)))
                asked, numbers = ask()
            unseen.remove(numbers)
            yield ids[numbers], partial(tell, asked, numbers)

    return choose


def _choices(table: Table) -> dict[str, list[Any]]:
    """Return method → what a configuration may do with it: leave it out, or one of the sets of parameters."""
    found: dict[str, list[Any]] = {}
    for trial in table.trials:
        for name, parameters in trial.methods.items():
            sets = found.setdefault(name, [None])
            if parameters not in sets:
                sets.append(parameters)
    return found


def _numbers(methods: Mapping[str, Any], choices: Mapping[str, Sequence[Any]]) -> tuple[int, ...]:
    return tuple(sets.index(methods.get(name)) for name, sets in choices.items())


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a share (Wilson 1927, J. Am. Stat. Assoc. 22:209)."""
    z, share = 1.959964, hits / count
    center = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return max(0.0, center - half), min(1.0, center + half)


def report(table: Table, limit: float, answers: Mapping[str, Sequence[Answer]]) -> Iterator[str]:
    """Yield the rows of one table and limit."""
    for name, given in answers.items():
        regret = [_regret(table, each, limit) for each in given]
        kept = [value for value, each in zip(regret, given, strict=True) if not _breaks(table, each, limit)]
        broken = sum(_breaks(table, each, limit) for each in given)
        low, high = wilson(broken, len(given))
        columns = [
            table.name,
            f"{100 * limit:g} %",
            name,
            _with_interval([each.cost for each in given], median),
            _with_interval(regret, _mean_regret),
            _percent(_mean_regret(kept)) if kept else "-",
            f"{_percent(broken / len(given))} [{100 * low:.1f}, {100 * high:.1f}]",
        ]
        if name == "ours":
            covered = sum(each.covered for each in given)
            low, high = wilson(covered, len(given))
            columns += [
                f"{100 * sum(each.exact for each in given) / len(given):.1f} %",
                f"{100 * covered / len(given):.1f} % [{100 * low:.1f}, {100 * high:.1f}]",
                f"{100 * sum(each.certified for each in given) / len(given):.1f} %",
            ]
        yield f"| {' | '.join(columns)} |"


def _regret(table: Table, answer: Answer, limit: float) -> float:
    """Return by how much, as a logarithm, the answer is slower than the bound; one that breaks the limit is none."""
    seconds = 1.0 if _breaks(table, answer, limit) else table.seconds[answer.trial]
    return math.log(seconds / table.seconds[table.best(limit)])


def _mean_regret(values: Sequence[float]) -> float:
    return math.exp(fmean(values)) - 1


def _with_interval(values: Sequence[float], statistic: Callable[[Sequence[float]], float]) -> str:
    """Return a statistic with its bootstrap interval (Efron and Tibshirani 1993, chapter 13)."""
    rng = random.Random(0)
    found = sorted(statistic(rng.choices(values, k=len(values))) for _ in range(BOOTSTRAPS))
    low, high = found[round(0.025 * BOOTSTRAPS)], found[round(0.975 * BOOTSTRAPS) - 1]
    return f"{_percent(statistic(values))} [{100 * low:.1f}, {100 * high:.1f}]"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _breaks(table: Table, answer: Answer, limit: float) -> bool:
    return answer.trial != BASELINE and table.loss(answer.trial) > limit


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", type=Path, nargs="+")
    parser.add_argument("--resamples", type=int, default=200)
    parser.add_argument("--prompts", type=int, default=32)
    parser.add_argument("--limits", type=float, nargs="+", default=[0.005, 0.01, 0.02, 0.05])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--together", action="store_true", help="one search for all limits, not one for each")
    parser.add_argument("--without-optuna", action="store_true")
    parser.add_argument("--processes", type=int, default=1, help="resamples replayed at once")
    options = parser.parse_args(argv)
    print(
        "| table | limit | strategy | cost, median | regret | kept ones' | limit broken | exact | covered | certified |"
    )
    print("|---|--:|---|--:|--:|--:|--:|--:|--:|--:|")
    with ProcessPoolExecutor(options.processes) as pool:
        for path in options.tables:
            table = load(path)
            for group in [options.limits] if options.together else [[limit] for limit in options.limits]:
                one = partial(replay, path, sorted(group), options)
                every = list(pool.map(one, range(options.resamples)))
                for limit in sorted(group):
                    answers = {name: [given[limit][name] for given in every] for name in every[0][limit]}
                    for row in report(table, limit, answers):
                        print(row, flush=True)
    return 0


def replay(
    path: Path, limits: Sequence[float], options: argparse.Namespace, number: int
) -> dict[float, dict[str, Answer]]:
    """Return, for each limit and strategy, the answer on resample `number`."""
    table = load(path)
    rng = random.Random(f"{options.seed} {table.name} {number}")
    captions = list(range(len(table.scores[BASELINE])))
    rng.shuffle(captions)
    others: dict[str, Propose] = {"random": at_random}
    if not options.without_optuna:
        others |= {"tpe": by_optuna("tpe"), "nsga2": by_optuna("nsga2")}
    found: dict[float, dict[str, Answer]] = {}
    mine = ours(table, captions, limits, options.prompts, rng)
    for limit, answer in zip(limits, mine, strict=True):
        found[limit] = {
            "ours": answer,
            "original": original(table, captions, options.prompts, limit, rng),
            **{
                name: at_equal_cost(table, captions, options.prompts, limit, rng, answer.cost, choose)
                for name, choose in others.items()
            },
        }
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
