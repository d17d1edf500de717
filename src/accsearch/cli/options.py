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
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON alone.")]
ConfigsArgument = Annotated[list[Path], typer.Argument(metavar="CONFIG...", help="YAML configurations.")]
OverrideOption = Annotated[
    list[str] | None,
    typer.Option("-o", "--override", metavar="KEY=VALUE", help="Override one key, as in a.b=1."),
]
NoScorerOption = Annotated[
    bool, typer.Option("--no-scorer", help="Measure speed only, as -o quality=null does.")
]
GpusOption = Annotated[
    str | None, typer.Option("--gpus", metavar="LIST", help="Indices or UUIDs, comma-separated, or none.")
]
SlotsOption = Annotated[
    int | None, typer.Option("--slots", min=1, help="Tasks at once without GPUs (with --gpus none).")
]
KeepStaleOption = Annotated[
    bool, typer.Option("--keep-stale", help="Accept finished tasks of another configuration digest.")
]


class RerunOn(StrEnum):
    VERSIONS = "versions"


RerunOnOption = Annotated[
    RerunOn | None, typer.Option("--rerun-on", help="Also run tasks again whose package versions changed.")
]


class ExecutorName(StrEnum):
    LOCAL = "local"


ExecutorOption = Annotated[ExecutorName, typer.Option("--executor", help="Where tasks run.")]
HERE = Path()
