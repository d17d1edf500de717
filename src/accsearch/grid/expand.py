"""Every task of a configuration, with its digest and its trials."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from accsearch.config.cells import cell_of
from accsearch.config.schema import Config
from accsearch.grid.digest import DIGITS, shared_parts, trials_part
from accsearch.grid.notes import notes_of
from accsearch.methods.combinations import combinations_of, trial_id
from accsearch.methods.compatibility import Cell
from accsearch.task import BASELINE, Scalar, Task, Trial


@dataclass(frozen=True, slots=True)
class Grid:
    """A configuration and its tasks, in the order of the grid; `notes` are lines for the user."""

    config: Config
    tasks: tuple[Task, ...]
    notes: tuple[str, ...] = ()


def expand(config: Config) -> Grid:
    """Return the tasks of `config`; the baseline is the first trial of each, a command worker has none."""
    common = hashlib.sha256(json.dumps(shared_parts(config), sort_keys=True).encode())
    if config.worker.kind == "command":
        return Grid(config, tuple(_command_tasks(config, common)))
    return _traversal(config, common)


def _command_tasks(config: Config, common: "hashlib._Hash") -> Iterator[Task]:
    name, axes = config.name, tuple(config.grid)
    for values in product(*config.grid.values()):
        task = "_".join(values)
        digest = common.copy()
        digest.update(task.encode())
        yield Task(task, name, dict(zip(axes, values, strict=True)), digest.hexdigest()[:DIGITS])


def _traversal(config: Config, common: "hashlib._Hash") -> Grid:
    trials: dict[Cell, tuple[Trial, ...]] = {}
    parts: dict[Cell, str] = {}
    cells: list[Cell] = []
    tasks: list[Task] = []
    identities = {pipe: config.model(pipe).identity for pipe in config.grid["pipe"]}
    for values in product(*config.grid.values()):
        written = dict(zip(config.grid, values, strict=True))
        axes: Mapping[str, Scalar] = {**written, "steps": int(written["steps"])}
        cell = cell_of(config, axes)
        if cell not in trials:
            trials[cell] = _trials(config, cell)
            parts[cell] = trials_part(trials[cell])
        task = "_".join(values)
        digest = common.copy()
        digest.update(f"{task}\0{identities[written['pipe']]}\0{parts[cell]}".encode())
        tasks.append(Task(task, config.name, axes, digest.hexdigest()[:DIGITS], trials[cell]))
        cells.append(cell)
    return Grid(config, tuple(tasks), tuple(notes_of(config, cells, trials)))


def _trials(config: Config, cell: Cell) -> tuple[Trial, ...]:
    found = (Trial(trial_id(methods), methods) for methods in combinations_of(config.methods, cell))
    return (Trial(BASELINE, {}), *found)
