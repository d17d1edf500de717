"""Load the configurations named on a command line."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from accsearch.errors import UsageError

if TYPE_CHECKING:
    from accsearch.grid import Grid
    from accsearch.workdir import WorkDir


def load_grids(
    configs: Sequence[Path], overrides: Sequence[str] | None, *, no_scorer: bool = False
) -> "list[Grid]":
    """Return the grid of each configuration, without a scorer if asked; two of one name are refused."""
    from accsearch.config.load import load_config
    from accsearch.grid import expand

    changes = [*(overrides or ()), *(["quality=null"] if no_scorer else [])]
    grids = [expand(load_config(path, changes)) for path in configs]
    for name, times in Counter(grid.config.name for grid in grids).items():
        if times > 1:
            raise UsageError(f"two configurations are named {name}; give one another `name:`")
    return grids


def say_notes(grids: "Sequence[Grid]", workdir: "WorkDir") -> None:
    """Print what the user should know of each grid, and which file's plan it takes the place of."""
    from accsearch.checkpoint.plan import replaced_file
    from accsearch.cli.output import message

    for grid in grids:
        name = grid.config.name
        for note in grid.notes:
            message(f"{name}: {note}")
        if (other := replaced_file(workdir, grid)) is not None:
            message(
                f"{name}: takes the place of the plan of {other} here, which has the same name "
                f"(another `name:` or --workdir keeps both)"
            )
