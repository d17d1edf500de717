"""`accsearch report`: one self-contained page."""

from pathlib import Path
from typing import Annotated

import typer

from accsearch.cli.options import HERE, StoredWorkDirOption


def report(
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write the page.")] = Path(
        "report.html"
    ),
    workdir: StoredWorkDirOption = HERE,
) -> None:
    """Write one self-contained HTML page of the results."""
    from accsearch.cli.output import message, whole_file
    from accsearch.report.page import write_page
    from accsearch.workdir import WorkDir

    write_page(WorkDir(workdir.resolve()), whole_file(output))
    message(f"wrote {output}")
