"""Everything that the trials of a task share, loaded once."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from accsearch.config.models import cached_scheduler
from accsearch.config.sampling import doubt, refused_steps
from accsearch.errors import UsageError
from accsearch.worker.assignment import Assignment
from accsearch.worker.imports import collect_again
from accsearch.worker.machine import Machine, choose_machine
from accsearch.worker.methods.calibration import Calibrations
from accsearch.worker.monitor import Monitor, open_monitor
from accsearch.worker.pipelines import load_pipeline
from accsearch.worker.prompts import gather_prompts
from accsearch.worker.quality.optional import lpips_absent
from accsearch.worker.quality.scorer import Scorer, load_scorer
from accsearch.worker.text_window import cut_off
from accsearch.worker.workload import Workload


@dataclass(frozen=True)
class LoadedTask:
    """A loaded pipeline, its prompts, scorer and device, of which the scorer holds `scorer_bytes`.

    `notes` say what the results of these prompts must be read with, one line each.
    """

    assignment: Assignment
    machine: Machine
    pipeline: Any
    scorer: Scorer
    scorer_bytes: int
    workload: Workload
    texts: Any
    monitor: Monitor
    notes: tuple[str, ...] = ()
    calibrations: Calibrations = field(default_factory=Calibrations)
    """What methods took from plain generations of the task."""

    def reworded(self, prompts: Sequence[str]) -> "LoadedTask":
        """Return the loaded with other prompts."""
        encoders = self.workload.encoders
        workload = _workload(self.assignment, self.pipeline, prompts, self.machine, encoders)
        notes = (
            *_doubts(self.assignment),
            *cut_off(self.pipeline, self.scorer, prompts, self.assignment.model.call),
        )
        return replace(self, workload=workload, texts=self.scorer.texts(prompts), notes=notes)


@contextmanager
def open_task(assignment: Assignment, others: frozenset[int] = frozenset()) -> Iterator[LoadedTask]:
    """Load pipeline, prompts and scorer, and compute what all trials share.

    `others` are the processes that were on a GPU before this one, see `monitor.processes_on_gpus`. Raises UsageError
    where something that the configuration names is not there or does not fit.
    """
    if assignment.config.search.max_lpips is not None and (why := lpips_absent()):
        raise UsageError(f"search.max_lpips cannot be held: {why}")
    machine = choose_machine(assignment.device, assignment.config.worker.dtype)
    prompts = gather_prompts(assignment.config.prompts, assignment.num_samples)
    setting = assignment.setting
    pipeline = load_pipeline(assignment.model, setting.scheduler, machine)
    if why := refused_steps(setting.scheduler, pipeline.scheduler.config, setting.steps):
        raise UsageError(why)
    workload = _workload(assignment, pipeline, prompts.texts, machine)
    before = machine.allocated()
    with (
        closing(load_scorer(assignment.config.quality, machine)) as scorer,
        open_monitor(machine.gpu, others) as monitor,
    ):
        held = 0 if before is None else (machine.allocated() or 0) - before
        texts = scorer.texts(prompts.texts)
        notes = (
            *_doubts(assignment),
            *prompts.notes,
            *cut_off(pipeline, scorer, prompts.texts, assignment.model.call),
        )
        calibrations = Calibrations(assignment.paths.calibration, assignment.model.identity)
        collect_again()
        yield LoadedTask(
            assignment, machine, pipeline, scorer, held, workload, texts, monitor, notes, calibrations
        )


def _doubts(assignment: Assignment) -> tuple[str, ...]:
    """Return what the images of the task's scheduler must be looked at with, by the settings of the model's own."""
    # A model of the hub was not here when it was planned, and is now.
    settings = assignment.model.scheduler or cached_scheduler(assignment.model)
    found = doubt(assignment.setting.scheduler, settings, assignment.setting.steps)
    return () if found is None else (found,)


def _workload(
    assignment: Assignment,
    pipeline: Any,
    prompts: Sequence[str],
    machine: Machine,
    encoders: Mapping[str, torch.nn.Module] | None = None,
) -> Workload:
    setting = assignment.setting
    size = {"height": setting.height, "width": setting.width}
    settings = {
        "num_inference_steps": setting.steps,
        "guidance_scale": setting.guidance_scale,
        **assignment.model.call,
        **{name: value for name, value in size.items() if value is not None},
    }
    return Workload(
        pipeline,
        prompts,
        machine,
        seed=setting.seed,
        settings=settings,
        size=assignment.model.size,
        encoders=encoders,
    )
