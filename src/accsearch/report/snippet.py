"""Code that applies an upper bound to a pipeline of the user's own."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from accsearch.checkpoint.plan import stored_plans
from accsearch.config.cells import cell_of
from accsearch.config.schema import Config
from accsearch.demo import PIPELINES
from accsearch.methods.combinations import methods_of, trial_id
from accsearch.report import text
from accsearch.report.elsewhere import Run, elsewhere
from accsearch.report.thresholds import measured, ratios
from accsearch.task import BASELINE, Task
from accsearch.workdir import WorkDir

_AUTO = '"cuda" if torch.cuda.is_available() else "cpu"'


def snippets(workdir: WorkDir, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a runnable program for each row of `best --json` that is within its limit and not the baseline."""
    cells = {
        (plan.grid.config.name, task.id): (plan.grid.config, task)
        for plan in stored_plans(workdir)
        for task in plan.grid.tasks
    }
    parts = []
    for row in rows:
        cell = cells.get((row["config"], str(row.get("found_in") or row.get("task"))))
        if cell is not None and row["decision"] == "within" and row["trial"] != BASELINE:
            calibration = workdir.task(cell[1].config, cell[1].id).calibration
            methods = trial_id(measured(row["methods"], calibration))
            parts.append(snippet_of(row, methods, *cell, ratios(calibration)))
    return "\n\n".join(parts)


def snippet_of(
    row: Mapping[str, Any],
    methods: str,
    config: Config,
    task: Task,
    mag_ratios: list[float] | None = None,
) -> str:
    """Return the program for a row of `best --json` that was found in `task`, with the methods of a trial's id.

    It ends with comments: the same without accsearch, or why there is no such code. `mag_ratios` are the task's.
    """
    return "\n".join(_lines(row, methods, config, task, mag_ratios)) + "\n"


def _lines(
    row: Mapping[str, Any], methods: str, config: Config, task: Task, mag_ratios: list[float] | None
) -> Iterator[str]:
    model, dtype = config.model(str(task.axes["pipe"])), config.worker.dtype
    scheduler, guidance = f"{task.axes['sched']}Scheduler", config.worker.guidance_scale
    options = [f"dtype=torch.{dtype}"]
    options += [f"{key}={value!r}" for key in ("revision", "variant") if (value := getattr(model, key))]
    if config.implementation != "native":
        yield f"# Measured with the published packages; accsearch's own {row['trial']} makes the same images."
    yield (
        f"# {config.name}/{task.id}: {text.speedup(row['speedup'], row['speedup_ci95'])}, "
        f"loss {text.percent(row['score_loss'], row['score_loss_ci95'])} (limit {100 * row['max_loss']:g} %)"
    )
    yield "import torch"
    yield f"from diffusers import {', '.join(sorted((scheduler, model.pipeline_class)))}"
    yield "\nimport accsearch"
    source = repr(model.model_id)
    if model.model_id in PIPELINES:
        yield "from accsearch.demo import pipeline_path"
        source = f'pipeline_path("{model.model_id}")'
    yield f"\npipe = {model.pipeline_class}.from_pretrained({source}, {', '.join(options)})"
    yield f"pipe.scheduler = {scheduler}.from_config(pipe.scheduler.config)"
    device = f'"{config.worker.device}"' if config.worker.device != "auto" else _AUTO
    yield f"pipe = pipe.to({device})"
    yield f'with accsearch.accelerate(pipe, "{methods}", seed={config.worker.seed}):'
    size = {key: value for key in ("height", "width") if (value := getattr(config.worker, key))}
    call = {
        "num_inference_steps": task.axes["steps"],
        "guidance_scale": model.guidance if guidance is None else guidance,
        **model.call,
        **size,
    }
    arguments = ", ".join(f"{key}={value}" for key, value in call.items())
    yield f'    image = pipe("your prompt", {arguments}).images[0]'
    yield 'image.save("image.png")'
    run = Run(
        cell=cell_of(config, task.axes),
        methods=methods_of(methods),
        pipeline_class=model.pipeline_class,
        seed=config.worker.seed,
        ratios=mag_ratios,
    )
    yield ""
    yield from elsewhere(run, call)
