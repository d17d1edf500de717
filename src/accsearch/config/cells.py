"""The cells of a traversal grid, and which parameter values each of them refuses."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from accsearch.config.sampling import fewest_steps
from accsearch.config.schedulers import SUFFIX
from accsearch.config.schema import Config
from accsearch.methods.catalogue import METHODS
from accsearch.methods.cell import Cell, guided
from accsearch.methods.combinations import Lists, settings
from accsearch.methods.compatibility import admits
from accsearch.task import Scalar

AXES = ("pipe", "sched", "steps")

Refusals = dict[tuple[str, str, Scalar], dict[Cell, str]]
"""(method, parameter, value) → the cells that refuse it whatever the method's other parameters, and why."""


def cell_of(config: Config, axes: Mapping[str, Scalar]) -> Cell:
    """Return what the compatibility rules need to know of one cell of a checked configuration."""
    model = config.model(str(axes["pipe"]))
    guidance = model.guidance if config.worker.guidance_scale is None else config.worker.guidance_scale
    scheduler = str(axes["sched"]).removesuffix(SUFFIX)
    return Cell(
        family=model.family,
        scheduler=scheduler,
        steps=int(axes["steps"]),
        unet_blocks=model.blocks,
        has_guidance=guided(model.family, guidance),
        implementation=config.implementation,
        attention_downsample=model.attention_downsample,
        dtype=config.worker.dtype,
        fewest_steps=fewest_steps(scheduler, model.scheduler),
    )


def cells_of(config: Config) -> Iterator[Cell]:
    """Yield the cell of each task, in the order of the grid."""
    for values in product(*(config.grid[axis] for axis in AXES)):
        yield cell_of(config, dict(zip(AXES, values, strict=True)))


def refusals(lists: Lists, cells: Iterable[Cell]) -> Refusals:
    """Return which of the listed values are refused in which of `cells`."""
    refused: Refusals = {}
    for cell in dict.fromkeys(cells):
        for method, parameters in lists.items():
            for name in METHODS[method].parameters:
                for value in parameters.get(name, ()):
                    if reason := _refusal(method, {**parameters, name: (value,)}, cell):
                        refused.setdefault((method, name, value), {})[cell] = reason
    return refused


def _refusal(method: str, lists: Mapping[str, tuple[Scalar, ...]], cell: Cell) -> str | None:
    """Return None if `cell` admits `method` with some choice from `lists`, else the first reason why not."""
    reasons = [admits(cell, {method: choice}) for choice in settings(method, lists)]
    return None if None in reasons else reasons[0]


def refused_everywhere(
    method: str, lists: Mapping[str, tuple[Scalar, ...]], cells: Iterable[Cell]
) -> str | None:
    """Return why no cell admits `method` with any choice from `lists`, or None if one does."""
    reasons = [_refusal(method, lists, cell) for cell in dict.fromkeys(cells)]
    return None if None in reasons else reasons[0]
