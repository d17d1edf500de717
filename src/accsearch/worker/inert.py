"""Thresholds that would skip nothing or everything, found in one plain generation before any trial is measured."""

from collections.abc import Iterable, Iterator

import torch

from accsearch.methods.catalogue import METHODS
from accsearch.methods.info import Parameters
from accsearch.task import Trial
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.methods.calibration import Plain
from accsearch.worker.methods.compose import apply, twin

EVERYTHING = 1e9
"""A threshold that no change reaches."""


def inert_thresholds(loaded: LoadedTask, trials: Iterable[Trial]) -> Iterator[str]:
    """Yield a line for each threshold, given as a number, that skips no call or every call that may be skipped."""
    found = dict.fromkeys(
        (name, key, tuple(parameters.items()))
        for trial in trials
        for name, parameters in trial.methods.items()
        for key, each in METHODS[name].parameters.items()
        if each.quantiles and not isinstance(parameters[key], str)
    )
    if not found:
        return
    arguments = loaded.workload.arguments([0])
    with torch.no_grad(), apply(loaded.pipeline, {}, calibrations=loaded.calibrations) as applied:
        plain = applied.plain(**arguments)
        for name, key, values in found:
            if line := _line(plain, name, key, dict(values)):
                yield line


def _line(plain: Plain, name: str, key: str, parameters: Parameters) -> str | None:
    module = twin(name)
    share = module.inert(plain, parameters)
    most = module.inert(plain, {**parameters, key: EVERYTHING})
    advice = f"quantiles fit any model, as {key}: [p25, p50, p75]"
    if share == 0:
        return (
            f"{name} with {key} {parameters[key]:g} skips nothing here: it measures the baseline ({advice})"
        )
    if share == most:
        skipped = f"skips all that may be skipped, {share:.0%} of the calls"
        return f"{name} with {key} {parameters[key]:g} {skipped} ({advice})"
    return None
