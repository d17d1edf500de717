"""Options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

WorkDirOption = Annotated[
    Path,
    typer.Option("--workdir", help="Folder that holds checkpoints/, logs/ and results/.", file_okay=False),
]
StoredWorkDirOption = Annotated[
    Path,
    typer.Option(
        "--workdir", help="Folder that holds checkpoints/, logs/ and results/.", exists=True, file_okay=False
    ),
]
"""Of the commands that read what a run has left."""
JsonOption = Annotated[bool, typer.Option("--json", help="Print only JSON.")]
MaxLossOption = Annotated[
    list[float] | None,
    typer.Option("--max-loss", help="Largest relative loss of the score; may be given several times."),
]
OthersOption = Annotated[
    bool, typer.Option("--all", help="Also show results of other settings than the plan's, marked.")
]
ConfigsArgument = Annotated[list[Path], typer.Argument(metavar="CONFIG...", help="YAML configurations.")]
OverrideOption = Annotated[
    list[str] | None,
    typer.Option("-o", "--override", metavar="KEY=VALUE", help="Override one key: a.b=1."),
]
NoScorerOption = Annotated[
    bool, typer.Option("--no-scorer", help="Measure speed only, as -o quality=null does.")
]
GpusOption = Annotated[
    str | None, typer.Option("--gpus", metavar="LIST", help="Indices or UUIDs, comma-separated, or none.")
]
SlotsOption = Annotated[
    int | None, typer.Option("--slots", min=1, help="Tasks at once, without GPUs or on a cluster.")
]
KeepStaleOption = Annotated[
    bool, typer.Option("--keep-stale", help="Accept finished tasks whose configuration has changed.")
]


class RerunOn(StrEnum):
    VERSIONS = "versions"


RerunOnOption = Annotated[
    RerunOn | None, typer.Option("--rerun-on", help="Also run tasks again whose package versions changed.")
]


class ExecutorName(StrEnum):
    LOCAL = "local"
    RAY = "ray"
    SLURM = "slurm"


ExecutorOption = Annotated[ExecutorName, typer.Option("--executor", help="Where tasks run.")]
AddressOption = Annotated[
    str | None, typer.Option("--address", metavar="HOST:PORT", help="Head node of the Ray cluster.")
]
HERE = Path()


def max_losses(given: list[float] | None) -> tuple[float, ...]:
    """Return the limits of `--max-loss`, each once; raises UsageError for what is no share."""
    from accsearch.errors import UsageError

    for limit in given or ():
        if not 0 <= limit <= 1:
            hint = f"; did you mean {limit / 100:g}?" if 1 < limit <= 100 else ""
            raise UsageError(f"--max-loss {limit:g}: allowed 0 to 1{hint}")
    return tuple(dict.fromkeys(given or ()))
