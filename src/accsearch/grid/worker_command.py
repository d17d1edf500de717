"""The command line that runs a task, and the line by which its log says that it succeeded."""

import sys
from pathlib import Path

from accsearch.config.placeholders import fill
from accsearch.config.schema import Config
from accsearch.task import SUCCESS, Task

PACKAGES_OF_METHODS = {"quantize": "torchao"}
"""Method → the package that it alone needs, and that diffusers and transformers import wherever it is installed."""


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

    `-package` is what it does without, see `unused_packages`.

    diffusers and transformers load most of their modules only when a name of theirs is asked for.
    """
    if config.worker.kind == "command":
        return ()
    model = config.model(str(task.axes["pipe"]))
    libraries = (f"diffusers:{model.pipeline_class}", f"diffusers:{task.axes['sched']}Scheduler")
    scorer = () if config.quality is None or config.quality.command else ("open_clip",)
    unused = (f"-{package}" for package in unused_packages(task))
    return (*unused, "accsearch.worker.run", *libraries, *scorer, "torchmetrics.functional.image")


def unused_packages(task: Task) -> tuple[str, ...]:
    """Return those of PACKAGES_OF_METHODS that no trial of the task needs."""
    used = {method for trial in task.trials for method in trial.methods}
    return tuple(package for method, package in PACKAGES_OF_METHODS.items() if method not in used)


def success_sentinel(config: Config, task: Task) -> str:
    """Return the whole line that the log of a successful attempt holds."""
    text = config.worker.success_sentinel if config.worker.kind == "command" else f"{SUCCESS} {{task}}"
    return fill(text, _values(config, task))


def _values(config: Config, task: Task) -> dict[str, str]:
    return {**{axis: str(value) for axis, value in task.axes.items()}, "task": task.id, "config": config.name}
