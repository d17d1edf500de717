"""Every task of a configuration, with its digest and its trials."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from accsearch.config.cells import cell_of
from accsearch.config.schema import Config
from accsearch.grid.digest import shared_parts, trials_part
from accsearch.grid.remarks import notes_of
from accsearch.grid.setting import DIGITS
from accsearch.methods.cell import Cell
from accsearch.methods.combinations import combinations_of, trial_id
from accsearch.methods.compatibility import admits
from accsearch.task import BASELINE, Scalar, Task, Trial


@dataclass(frozen=True, slots=True)
class Grid:
    """A configuration and its tasks, in the order of the grid; `notes` are lines for the user."""

    config: Config
    tasks: tuple[Task, ...]
    notes: tuple[str, ...] = ()

    def ids(self) -> frozenset[str]:
        """Return the ids of all tasks."""
        return frozenset(task.id for task in self.tasks)


def expand(config: Config) -> Grid:
    """Return the tasks of `config`; the baseline is the first trial of each, a command worker has none."""
    common = hashlib.sha256(json.dumps(shared_parts(config), sort_keys=True).encode())
    if config.worker.kind == "command":
        return Grid(config, tuple(_command_tasks(config, common)), config.facts.remarks)
    return _traversal(config, common)


def _command_tasks(config: Config, common: "hashlib._Hash") -> Iterator[Task]:
    name, axes = config.name, tuple(config.grid)
    for values in product(*config.grid.values()):
        task = "_".join(values)
        digest = common.copy()
        digest.update(task.encode())
        yield Task(task, name, dict(zip(axes, values, strict=True)), digest.hexdigest()[:DIGITS])


def _traversal(config: Config, common: "hashlib._Hash") -> Grid:
    offered = _Offer(config)
    cells: list[Cell] = []
    tasks: list[Task] = []
    identities = {pipe: config.model(pipe).identity for pipe in config.grid["pipe"]}
    for values in product(*config.grid.values()):
        written = dict(zip(config.grid, values, strict=True))
        axes: Mapping[str, Scalar] = {**written, "steps": int(written["steps"])}
        cell = cell_of(config, axes)
        trials, part = offered.to(cell)
        task = "_".join(values)
        digest = common.copy()
        digest.update(f"{task}\0{identities[written['pipe']]}\0{part}".encode())
        tasks.append(Task(task, config.name, axes, digest.hexdigest()[:DIGITS], trials))
        cells.append(cell)
    return Grid(config, tuple(tasks), tuple(notes_of(config, cells, offered.trials, offered.by_cell())))


class _Offer:
    """The trials of a configuration; cells that admit the same ones share one tuple and one digest part."""

    def __init__(self, config: Config) -> None:
        found = (Trial(trial_id(methods), methods) for methods in combinations_of(config.methods))
        asked = config.search.trials
        self.trials = (Trial(BASELINE, {}), *(trial for trial in found if asked is None or trial.id in asked))
        self._shared: dict[tuple[int, ...], tuple[tuple[Trial, ...], str]] = {}
        self._cells: dict[Cell, tuple[tuple[Trial, ...], str]] = {}

    def to(self, cell: Cell) -> tuple[tuple[Trial, ...], str]:
        """Return the trials that `cell` admits, the baseline first, and their part of the digest."""
        if cell not in self._cells:
            admitted = tuple(trial for trial in self.trials if admits(cell, trial.methods) is None)
            key = tuple(map(id, admitted))
            if key not in self._shared:
                self._shared[key] = (admitted, trials_part(admitted))
            self._cells[cell] = self._shared[key]
        return self._cells[cell]

    def by_cell(self) -> dict[Cell, tuple[Trial, ...]]:
        return {cell: trials for cell, (trials, _) in self._cells.items()}
