"""What a user should know of an expanded grid: what is left out of which cells, and cautions."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from accsearch.config.cells import refusals
from accsearch.config.schema import Config
from accsearch.methods.compatibility import Cell, admits, caution, combines
from accsearch.task import Trial

SHOWN = 3
"""Combinations named in one note; the others are counted."""


def notes_of(
    config: Config,
    cells: Sequence[Cell],
    offered: Sequence[Trial],
    trials: Mapping[Cell, tuple[Trial, ...]],
) -> Iterator[str]:
    """Yield one line for each value or set of combinations that some cells refuse, and for each caution.

    `offered` are the trials of a cell that refuses nothing, `trials` those that each cell admits.
    """
    yield from config.facts.remarks
    counts = Counter(cells)
    for (method, name, value), refusing in refusals(config.methods, cells).items():
        where = _where(refusing, counts)
        yield f"methods.{method}.{name} {value} is left out of {where}: {next(iter(refusing.values()))}"
    for (why, refused_by), ids in _combinations(offered, trials).items():
        named = ", ".join(ids[:SHOWN]) + (f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else "")
        are = "is" if len(ids) == 1 else "are"
        yield f"{named} {are} left out of {_where(refused_by, counts)}: {why}"
    names = list(config.methods)
    for index, one in enumerate(names):
        for other in names[index + 1 :]:
            if reason := combines((one, other)):
                yield reason
    said = (caution(cell, trial.methods) for cell, each in trials.items() for trial in each)
    yield from dict.fromkeys(text for text in said if text is not None)


def _where(refusing: Iterable[Cell], counts: Counter[Cell]) -> str:
    tasks, total = sum(counts[cell] for cell in refusing), counts.total()
    return "every task" if tasks == total else f"{tasks} of {total} tasks"


def _combinations(
    offered: Sequence[Trial], trials: Mapping[Cell, tuple[Trial, ...]]
) -> dict[tuple[str, frozenset[Cell]], list[str]]:
    """Return (reason, cells) → the trials that these cells refuse although they admit each of its methods."""
    refused: dict[str, dict[Cell, str]] = {}
    for cell, admitted in trials.items():
        kept = {trial.id for trial in admitted}
        for trial in offered:
            if trial.id in kept or any(admits(cell, {name: each}) for name, each in trial.methods.items()):
                continue
            refused.setdefault(trial.id, {})[cell] = str(admits(cell, trial.methods))
    groups: dict[tuple[str, frozenset[Cell]], list[str]] = {}
    for trial_id, reasons in refused.items():
        groups.setdefault((next(iter(reasons.values())), frozenset(reasons)), []).append(trial_id)
    return groups
