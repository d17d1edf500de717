"""Evaluate one generated file: in turns with the baseline, on prompts and seeds that it cannot know."""

from dataclasses import replace
from pathlib import Path

from accsearch.codeeval.evaluation import Evaluation
from accsearch.codeeval.guest import Guest, Refused, guest
from accsearch.codeeval.models import models_of
from accsearch.codeeval.sandbox.levels import choose
from accsearch.codeeval.sandbox.rules import Limits
from accsearch.codeeval.settings import Settings
from accsearch.codeeval.source import Unparsable
from accsearch.codeeval.static import extract
from accsearch.worker.codeeval.baseline import build, model_of
from accsearch.worker.codeeval.duel import Duel
from accsearch.worker.codeeval.material import draw
from accsearch.worker.codeeval.suspicion import suspect
from accsearch.worker.machine import choose_machine
from accsearch.worker.quiet import hush_loaded


def evaluate(file: Path, settings: Settings) -> Evaluation:
    """Return the evaluation of a file, whatever its faults. Raises UsageError for wrong settings."""
    level = choose(settings.isolation)
    nothing = Evaluation(file=str(file), verdict="invalid", isolation=level.value)
    try:
        fields = extract(file)
    except Unparsable as error:
        return replace(nothing, error=f"not a Python program: {error}")
    nothing = replace(nothing, configuration=fields.as_json())
    machine = choose_machine(settings.device, "float16")
    memory = None if machine.is_cuda else Limits().memory
    limits = Limits(wall_seconds=settings.timeout, cpu_seconds=int(settings.timeout * 16), memory=memory)
    try:
        model = model_of(fields)
    except Refused as refused:
        # It runs all the same: one without a pipe, or an unsafe one, is told from one that is unclear.
        model, unclear = None, refused
    with guest(file.read_bytes(), level, limits, models_of(fields)) as caged:
        try:
            loaded, _ = caged.ask("load", timeout=settings.timeout)
            if model is None:
                raise unclear
            told = loaded.header.get("arguments")
            entry = str(loaded.header.get("entry"))[:40]
            caged.pause()
            baseline = build(model, fields, told if isinstance(told, dict) else {}, machine)
            hush_loaded()
            material = draw(model, settings, machine)
            caged.resume()
            duel = Duel(baseline, caged, material)
            duel.run(settings.repeats, settings.images)
            suspect(duel, baseline)
            caged.pause()
            found = replace(duel.result(nothing), entry=entry)
        except Refused as refused:
            found = replace(nothing, verdict=refused.verdict, error=str(refused))  # type: ignore[arg-type]
        return _with_notes(found, caged)


def _with_notes(evaluation: Evaluation, caged: Guest) -> Evaluation:
    notes = tuple(caged.read_notes())
    if notes and evaluation.verdict in ("ok", "failed"):
        error = evaluation.error or "blocked: " + "; ".join(notes)[:300]
        return replace(evaluation, verdict="unsafe", error=error, notes=notes)
    return replace(evaluation, notes=notes)
