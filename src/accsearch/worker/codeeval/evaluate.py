"""Evaluate one generated file in turns with its baseline, on prompts and seeds that it cannot know."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from accsearch.codeeval.evaluation import Evaluation
from accsearch.codeeval.fields import Fields
from accsearch.codeeval.readable_models import models_of
from accsearch.codeeval.settings import Settings
from accsearch.codeeval.source import Unparsable, read_source
from accsearch.codeeval.static import extract_source
from accsearch.cores import usable_cores
from accsearch.result_lines.disturbance import busy
from accsearch.sandbox.client import Refused, SandboxClient, open_client
from accsearch.sandbox.levels import choose
from accsearch.sandbox.rules import Limits
from accsearch.worker.codeeval.baseline import build
from accsearch.worker.codeeval.inputs import draw
from accsearch.worker.codeeval.paired_run import PairedRun, ask_image
from accsearch.worker.codeeval.recipe import USUAL_STEPS, Recipe, model_of, recipe, refuse_other_steps
from accsearch.worker.codeeval.validity import check_validity
from accsearch.worker.machine import Machine, choose_machine
from accsearch.worker.quiet import hush_loaded

TRIAL = "a photo of a house", 1
"""Prompt and seed of the image by which a wrapper shows how it calls its pipeline."""

Say = Callable[[str], None]
"""Takes a line of progress."""


def evaluate(
    file: Path, settings: Settings, hidden: Sequence[Path] = (), say: Say = lambda _: None
) -> Evaluation:
    """Return the evaluation of a file, whatever its faults; `say` gets lines of progress.

    Raises UsageError for wrong settings, and if the program could read one of the files `hidden`.
    """
    level = choose(settings.isolation)
    found = Evaluation(file=str(file), verdict="invalid", isolation=level.value)
    source = read_source(file)
    found = replace(found, remarks=source.remarks)
    try:
        fields = extract_source(source.data, str(file))
    except Unparsable as error:
        return replace(found, error=f"not a Python program: {error}")
    found = replace(found, configuration=fields.as_json())
    machine = choose_machine(settings.device, "float16")
    memory = None if machine.is_cuda else Limits().memory
    limits = Limits(wall_seconds=settings.timeout, memory=memory)
    found = replace(found, threads=torch.get_num_threads())
    paired = None
    # Of several, the baseline runs on the first.
    gpus = "" if machine.gpu is None else machine.gpu.split(",")[0]
    with open_client(source.data, level, limits, models_of(fields), hidden=hidden, gpus=gpus) as client:
        try:
            say(f"loading it in the sandbox ({level.value}, {_count(found.threads, 'thread')})")
            planned, entry = _planned(fields, client, settings)
            found = replace(found, entry=entry, baseline=planned.to_json())
            say(
                f"building the baseline ({planned.model.model_id}, {planned.scheduler}, {planned.steps} steps)"
            )
            paired = _measured(planned, client, settings, machine, say)
        except Refused as refused:
            found = _refused(found, refused)
        found = replace(found, notes=tuple(client.read_notes()))
    try:
        if paired is not None:
            others = None if machine.is_cuda else paired.others
            disturbed = busy(others, usable_cores(), torch.get_num_threads())
            remarks = found.remarks if disturbed is None else (*found.remarks, disturbed)
            found = replace(found, cores_used_by_others=others, remarks=remarks)
            say("looking at the images")
            left_open = check_validity(paired, disturbed)
            found = paired.result(found)
            if left_open is not None:
                found = replace(found, verdict="unresolved", error=left_open)
    except Refused as refused:
        found = _refused(found, refused)
    return _with_notes(found)


def _planned(fields: Fields, client: SandboxClient, settings: Settings) -> tuple[Recipe, str]:
    """Load the file; return the baseline's recipe and the file's entry point. Raises Refused."""
    # The file runs first, so that one without a pipe, or an unsafe one, is not reported as one whose model is unclear.
    loaded, _ = client.ask("load", timeout=settings.timeout)
    model = model_of(fields)
    arguments = loaded.header.get("arguments")
    arguments = arguments if isinstance(arguments, dict) else {}
    if not loaded.header.get("called"):
        arguments = ask_image(client, *TRIAL, steps=fields.num_inference_steps or USUAL_STEPS).arguments
    refuse_other_steps(fields, arguments)
    return recipe(model, fields, arguments), str(loaded.header.get("entry"))[:40]


def _measured(
    planned: Recipe, client: SandboxClient, settings: Settings, machine: Machine, say: Say
) -> PairedRun:
    """Build the baseline and return the paired run, measured. Raises Refused."""
    client.pause()
    baseline = build(planned, machine)
    hush_loaded()
    inputs = draw(planned.model, settings, machine)
    client.resume()
    paired = PairedRun(baseline, client, inputs)
    paired.run(settings.repeats, settings.images, say)
    return paired


def _count(number: int | None, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _refused(found: Evaluation, refused: Refused) -> Evaluation:
    return replace(found, verdict=refused.verdict, error=str(refused))  # type: ignore[arg-type]


def _with_notes(found: Evaluation) -> Evaluation:
    if found.notes and found.verdict in ("ok", "unresolved", "failed"):
        return replace(
            found, verdict="unsafe", error=found.error or "blocked: " + "; ".join(found.notes)[:300]
        )
    return found
