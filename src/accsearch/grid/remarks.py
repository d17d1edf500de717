"""What a user should know of an expanded grid: what is left out of which cells, and cautions."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from accsearch.config.cells import refusals, refused_everywhere
from accsearch.config.schema import Config
from accsearch.methods.cell import Cell
from accsearch.methods.compatibility import admits, caution, combines
from accsearch.task import Trial

_NUMBER = re.compile(r"\d+(\.\d+)?")
SHOWN = 3
"""Combinations named in one note; the others are counted."""


def notes_of(
    config: Config,
    cells: Sequence[Cell],
    offered: Sequence[Trial],
    trials: Mapping[Cell, tuple[Trial, ...]],
) -> Iterator[str]:
    """Yield one line for each cause why cells refuse methods, values or combinations, and for each caution.

    `offered` are the trials of a cell that refuses nothing, `trials` those that each cell admits.
    """
    yield from config.facts.remarks
    counts = Counter(cells)
    for (_, refused_by), each in _by_cause(config, cells).items():
        subjects = _listed(subject for subject, _ in each)
        are = "is" if len(each) == 1 else "are"
        yield f"{subjects} {are} left out of {_where(refused_by, counts)}: {each[0][1]}"
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


def _by_cause(
    config: Config, cells: Sequence[Cell]
) -> dict[tuple[str, frozenset[Cell]], list[tuple[str, str]]]:
    """Return (cause, cells) → what these cells refuse for that cause, each with the reason in words.

    A method that a cell refuses whatever its parameters is named alone, not once for each value.
    """
    refused: dict[tuple[str, str], dict[Cell, str]] = {}
    for method, lists in config.methods.items():
        whole = {
            cell: why for cell in dict.fromkeys(cells) if (why := refused_everywhere(method, lists, [cell]))
        }
        refused[method, method] = whole
        for (_, name, value), refusing in refusals({method: lists}, cells).items():
            rest = {cell: why for cell, why in refusing.items() if cell not in whole}
            refused[method, f"methods.{method}.{name} {value}"] = rest
    groups: dict[tuple[str, frozenset[Cell]], list[tuple[str, str]]] = {}
    for (method, subject), reasons in refused.items():
        causes: dict[str, dict[Cell, str]] = {}
        for cell, why in reasons.items():
            shown = why.removeprefix(f"{method} ")
            causes.setdefault(_NUMBER.sub("#", shown), {})[cell] = shown
        for cause, cells_of_it in causes.items():
            entry = (subject, next(iter(cells_of_it.values())))
            groups.setdefault((cause, frozenset(cells_of_it)), []).append(entry)
    return groups


def _listed(subjects: Iterable[str]) -> str:
    """Return `methods.tgate.gate_step 10, 25` for two values of one parameter, other subjects side by side."""
    values: dict[str, list[str]] = {}
    for subject in subjects:
        name, _, value = subject.partition(" ")
        values.setdefault(name, []).append(value)
    return ", ".join(f"{name} {', '.join(each)}".strip() for name, each in values.items())


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
