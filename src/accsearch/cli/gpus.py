"""`accsearch gpus`: the GPUs, and why each is or is not idle."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from accsearch.cli.options import HERE, JsonOption, WorkDirOption

if TYPE_CHECKING:
    from rich.table import Table

    from accsearch.gpus.survey import Row


def gpus(json: JsonOption = False, workdir: WorkDirOption = HERE) -> None:
    """Show the GPUs, numbered as CUDA counts them by PCI bus, and why each is or is not idle."""
    from accsearch.checkpoint.status import quarantined
    from accsearch.cli.output import console, print_json
    from accsearch.config.schema import GpuConfig
    from accsearch.errors import NoGpuError
    from accsearch.gpus.nvml import open_nvml
    from accsearch.gpus.pinning import visible_gpus
    from accsearch.gpus.survey import survey
    from accsearch.workdir import WorkDir

    # GPUs belong to the machine; the work directory adds those that its own run has quarantined.
    out = quarantined(WorkDir(workdir.resolve()))
    try:
        with open_nvml() as nvml:
            rows = survey(nvml, GpuConfig(), visible_gpus(), quarantined=out)
        if not rows:
            raise NoGpuError("the NVIDIA driver sees no GPU")
    except NoGpuError:
        if json:
            print_json([])
        raise
    if json:
        print_json([row.to_json() for row in rows])
    else:
        console().print(_table(rows))


def _table(rows: "Sequence[Row]") -> "Table":
    from rich.text import Text

    from accsearch.cli.output import columns
    from accsearch.gpus.idle import gib

    table = columns("GPU", "name", "UUID", "free", "total", "use", "idle", "why", fold=True)
    for row in rows:
        reading = row.reading
        free = reading.memory_free if reading else None
        use = reading.utilization if reading else None
        table.add_row(
            row.device.label,
            row.device.name,
            row.device.uuid or "-",
            "-" if free is None else gib(free),
            "-" if row.device.memory_total is None else gib(row.device.memory_total),
            "-" if use is None else f"{use} %",
            Text("yes", style="green") if row.idle else Text("no", style="yellow"),
            Text(row.why),
        )
    return table
