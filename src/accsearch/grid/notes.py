"""What a user should know of an expanded grid: values left out of some cells, and cautions."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from accsearch.config.cells import refusals
from accsearch.config.schema import Config
from accsearch.methods.compatibility import Cell, caution, combines
from accsearch.task import Trial


def notes_of(
    config: Config, cells: Sequence[Cell], trials: Mapping[Cell, tuple[Trial, ...]]
) -> Iterator[str]:
    """Yield one line for each listed value that some cells refuse, and for each caution."""
    counts = Counter(cells)
    for (method, name, value), refusing in refusals(config.methods, cells).items():
        tasks = sum(counts[cell] for cell in refusing)
        where = "every task" if tasks == len(cells) else f"{tasks} of {len(cells)} tasks"
        yield f"methods.{method}.{name} {value} is left out of {where}: {next(iter(refusing.values()))}"
    names = list(config.methods)
    for index, one in enumerate(names):
        for other in names[index + 1 :]:
            if reason := combines((one, other)):
                yield reason
    said = (caution(cell, trial.methods) for cell, each in trials.items() for trial in each)
    yield from dict.fromkeys(text for text in said if text is not None)
