"""Load the configurations named on a command line."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from accsearch.errors import UsageError

if TYPE_CHECKING:
    from accsearch.grid import Grid


def load_grids(configs: Sequence[Path], overrides: Sequence[str] | None) -> "list[Grid]":
    """Return the grid of each configuration; two configurations of one name are refused."""
    from accsearch.config.load import load_config
    from accsearch.grid import expand

    grids = [expand(load_config(path, overrides or ())) for path in configs]
    for name, times in Counter(grid.config.name for grid in grids).items():
        if times > 1:
            raise UsageError(f"two configurations are named {name}; give one another `name:`")
    return grids
