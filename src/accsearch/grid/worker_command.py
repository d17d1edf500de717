"""The command line that runs a task, and the line by which its log says that it succeeded."""

import sys
from pathlib import Path

from accsearch.config.placeholders import fill
from accsearch.config.schema import Config
from accsearch.methods.catalogue import METHODS
from accsearch.task import SUCCESS, Task


def worker_argv(**options: object) -> list[str]:
    """Return the argv that starts accsearch's own worker with these options."""
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    # -P: the folder where it starts is the user's, and what lies there is not what it imports.
    return [sys.executable, "-P", "-m", "accsearch.worker", *arguments]


def command_line(
    config: Config, task: Task, *, attempt: int, batch_size: int | None = None, workdir: Path
) -> list[str]:
    """Return the argv of one attempt; `batch_size` stands for the configured one after an OOM."""
    if config.worker.kind == "command":
        values = {**_values(config, task), "workdir": str(workdir.resolve())}
        return [fill(text, values) for text in config.worker.command]
    return worker_argv(
        workdir=workdir.resolve(),
        config=config.name,
        task=task.id,
        attempt=attempt,
        batch_size=batch_size or config.worker.batch_size,
    )


def worker_imports(config: Config, task: Task) -> tuple[str, ...]:
    """Return what a traversal worker of `task` imports, as `module` or `module:name`; nothing for a command worker.

    diffusers and transformers load most of their modules only when a name of theirs is asked for.
    """
    if config.worker.kind == "command":
        return ()
    model = config.model(str(task.axes["pipe"]))
    libraries = (f"diffusers:{model.pipeline_class}", f"diffusers:{task.axes['sched']}Scheduler")
    scorer = () if config.quality is None or config.quality.command else ("open_clip",)
    shared = ("accsearch.worker.run", *libraries, *scorer, "torchmetrics.functional.image")
    return (*shared, *extra_modules(task))


def extra_modules(task: Task) -> tuple[str, ...]:
    """Return the modules of extras of accsearch that methods of the task's trials need."""
    methods = {name for trial in task.trials for name in trial.methods}
    return tuple(sorted({METHODS[name].module for name in methods} - {""}))


def success_sentinel(config: Config, task: Task) -> str:
    """Return the whole line that the log of a successful attempt holds."""
    text = config.worker.success_sentinel if config.worker.kind == "command" else f"{SUCCESS} {{task}}"
    return fill(text, _values(config, task))


def _values(config: Config, task: Task) -> dict[str, str]:
    return {**{axis: str(value) for axis, value in task.axes.items()}, "task": task.id, "config": config.name}
