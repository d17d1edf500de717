"""The package's public function: the trials of a work directory as a table for a notebook."""

import os
from pathlib import Path
from typing import Any


def results(workdir: "str | os.PathLike[str]" = ".", *, others: bool = False) -> Any:
    """Return the latest result of each trial of a work directory as a pandas DataFrame, one row a trial.

    The columns are those of `accsearch export` (`accsearch.result_lines.columns` has their units): undefined numbers
    are NaN, nested values stay lists and dicts. With `others` rows of other settings than the plan's follow, marked in
    `other_setting`.

    Raises accsearch.errors.UsageError where nothing was run, MissingExtraError without pandas.
    """
    from accsearch.errors import MissingExtraError
    from accsearch.report.trials import rows_of
    from accsearch.result_lines.columns import COLUMNS
    from accsearch.workdir import WorkDir

    try:
        import pandas
    except ImportError as error:
        raise MissingExtraError("accsearch.results needs pandas: pip install pandas") from error
    rows = rows_of(WorkDir(Path(workdir).resolve()), others=others)
    return pandas.DataFrame(rows, columns=[column.name for column in COLUMNS])
