"""`accsearch report`: one self-contained page."""

from pathlib import Path
from typing import Annotated

import typer

from accsearch.cli.options import HERE, MaxLossOption, OthersOption, StoredWorkDirOption


def report(
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write the page.")] = Path(
        "report.html"
    ),
    max_loss: MaxLossOption = None,
    others: OthersOption = False,
    workdir: StoredWorkDirOption = HERE,
) -> None:
    """Write one self-contained HTML page of the results."""
    from accsearch.cli.options import max_losses
    from accsearch.cli.output import message, whole_file
    from accsearch.report.page import write_page
    from accsearch.workdir import WorkDir

    limits = max_losses(max_loss)
    write_page(WorkDir(workdir.resolve()), whole_file(output), limits=limits, others=others)
    message(f"wrote {output}")
