"""What one worker has to do, from its arguments and the stored plan."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from accsearch.checkpoint.plan import load_plan
from accsearch.config.load import build_config
from accsearch.config.models import ModelInfo
from accsearch.config.schema import Config
from accsearch.errors import UsageError
from accsearch.grid import expand
from accsearch.grid.setting import Setting, setting_of
from accsearch.task import Task
from accsearch.workdir import TaskPaths, WorkDir


@dataclass(frozen=True)
class Assignment:
    """One task, with everything that says how it is measured."""

    config: Config
    task: Task
    paths: TaskPaths
    attempt: int
    num_samples: int
    batch_size: int

    @property
    def model(self) -> ModelInfo:
        return self.config.model(str(self.task.axes["pipe"]))

    @property
    def device(self) -> str:
        """The configured device; a configuration that allows the CPU does not insist on a GPU."""
        device = self.config.worker.device
        return "auto" if device == "cuda" and self.config.gpus.allow_cpu else device

    @property
    def setting(self) -> Setting:
        """What the measurements depend on, as far as it is known without the device."""
        return setting_of(self.config, self.task, num_samples=self.num_samples, batch_size=self.batch_size)


def assignment_of(arguments: argparse.Namespace) -> Assignment:
    """Return the task that the arguments name; raises UsageError or ConfigError if there is none."""
    if arguments.workdir is None:
        return _alone(arguments)
    workdir = WorkDir(arguments.workdir.resolve())
    plan = load_plan(workdir, arguments.config, to_measure=True)
    # A trial of a task that only earlier plans had can still be replayed.
    for grid in (plan.grid, plan.outside):
        for task in grid.tasks:
            if task.id == arguments.task:
                return _assign(grid.config, task, workdir, arguments)
    raise UsageError(f"the plan of {arguments.config} has no task {arguments.task}")


def _alone(arguments: argparse.Namespace) -> Assignment:
    """Build the configuration of a single cell, its results in the current folder."""
    worker = {"num_samples": arguments.num_samples, "batch_size": arguments.batch_size, "device": "auto"}
    grid = {"pipe": [arguments.pipe], "sched": [arguments.sched], "steps": [arguments.steps]}
    given = {key: value for key, value in worker.items() if value is not None}
    config = build_config({"name": "single", "grid": grid, "worker": given})
    workdir = WorkDir(Path.cwd())
    workdir.create(config.name)
    return _assign(config, expand(config).tasks[0], workdir, arguments)


def _assign(config: Config, task: Task, workdir: WorkDir, arguments: argparse.Namespace) -> Assignment:
    samples = arguments.num_samples or config.worker.num_samples
    return Assignment(
        config=config,
        task=task,
        paths=workdir.task(config.name, task.id),
        attempt=arguments.attempt,
        num_samples=samples,
        batch_size=min(arguments.batch_size or config.worker.batch_size, samples),
    )
