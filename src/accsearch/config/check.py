"""Checks across keys: ids, schedulers, steps, placeholders, and methods that no cell admits."""

import math
import re
from collections import Counter

from accsearch.config.cells import cells_of, refusals, refused_everywhere
from accsearch.config.mistake import Mistake, nearest
from accsearch.config.placeholders import RESERVED, unknown_placeholder
from accsearch.config.schedulers import FLOW_MATCH, SCHEDULERS, scheduler_name
from accsearch.config.schema import Config
from accsearch.config.sources import check_sources

MAX_ID_BYTES = 200
MAX_TASKS = 100_000
MAX_STEPS = 1000
"""Timesteps that the models of diffusers are trained with; no sampler can take more steps."""
_WHOLE = re.compile(r"[1-9][0-9]*")


def check(config: Config) -> None:
    """Raise Mistake for the first thing that would go wrong in every run of `config`."""
    _ids(config)
    if config.worker.kind == "command":
        _command(config)
        return
    _schedulers(config)
    _steps(config)
    _worker(config)
    check_sources(config)
    _methods(config)


def _ids(config: Config) -> None:
    for axis, values in config.grid.items():
        for index, value in enumerate(values):
            if len(value) > MAX_ID_BYTES:
                raise Mistake(("grid", axis, index), f"is longer than {MAX_ID_BYTES} bytes")
        for value, times in Counter(values).items():
            if times > 1:
                last = len(values) - 1 - values[::-1].index(value)
                raise Mistake(
                    ("grid", axis, last), f"{value} is given twice, so that two tasks would have one id"
                )
    longest = sum(max(map(len, values)) + 1 for values in config.grid.values()) - 1
    if longest > MAX_ID_BYTES:
        raise Mistake(("grid",), f"a task's id would have {longest} bytes (allowed {MAX_ID_BYTES})")
    tasks = math.prod(len(values) for values in config.grid.values())
    if tasks > MAX_TASKS:
        raise Mistake(("grid",), f"has {tasks} tasks (allowed {MAX_TASKS})")


def _command(config: Config) -> None:
    worker = config.worker
    if not worker.command:
        raise Mistake(("worker", "command"), "is missing (allowed a list of a program and its arguments)")
    for axis in config.grid:
        if axis in RESERVED:
            raise Mistake(
                ("grid", axis), f"an axis cannot be named {axis}, {{{axis}}} has a meaning of its own"
            )
    for index, text in enumerate(worker.command):
        if wrong := unknown_placeholder(text, (*config.grid, *RESERVED)):
            raise Mistake(("worker", "command", index), wrong)
    if wrong := unknown_placeholder(worker.success_sentinel, (*config.grid, "task", "config")):
        raise Mistake(("worker", "success_sentinel"), wrong)
    if "\n" in worker.success_sentinel or not worker.success_sentinel.strip():
        raise Mistake(("worker", "success_sentinel"), "allowed one line of text")


def _schedulers(config: Config) -> None:
    seen: dict[str, str] = {}
    for index, written in enumerate(config.grid["sched"]):
        path = ("grid", "sched", index)
        name = scheduler_name(written)
        if name is None:
            known = ", ".join(sorted(SCHEDULERS))
            hint = nearest(written.removesuffix("Scheduler"), SCHEDULERS)
            raise Mistake(path, f"unknown scheduler {written} (allowed {known}{hint})")
        if name in seen:
            raise Mistake(path, f"{written} is the same scheduler as {seen[name]}")
        seen[name] = written
        for pipe in config.grid["pipe"]:
            flows = config.model(pipe).family == "other"
            if name in FLOW_MATCH and not flows:
                raise Mistake(path, f"{written} samples flow-matching models only, which {pipe} is not")


def _steps(config: Config) -> None:
    for index, value in enumerate(config.grid["steps"]):
        if not _WHOLE.fullmatch(value) or int(value) > MAX_STEPS:
            raise Mistake(("grid", "steps", index), f"{value} is not allowed (allowed 1 to {MAX_STEPS})")


def _worker(config: Config) -> None:
    worker = config.worker
    if worker.max_repeats < worker.repeats:
        message = f"{worker.max_repeats} is not allowed (allowed at least repeats, {worker.repeats})"
        raise Mistake(("worker", "max_repeats"), message)
    if config.search.target_speedup is not None and config.search.strategy != "upper_bound":
        raise Mistake(("search", "target_speedup"), "needs search.strategy: upper_bound")
    if config.search.target_speedup is not None and config.quality is None:
        raise Mistake(
            ("quality",), "null is not allowed (allowed a scorer, which search.target_speedup needs)"
        )


def _methods(config: Config) -> None:
    """Refuse what the user listed and no cell admits; of the defaults such values are merely left out."""
    if config.facts.default_methods:
        return
    cells = list(cells_of(config))
    distinct = set(cells)
    for (method, name, value), refusing in refusals(config.methods, cells).items():
        if distinct <= refusing.keys():
            values = config.methods[method][name]
            reason = refusing[cells[0]]
            raise Mistake(
                ("methods", method, name, values.index(value)), f"no cell of the grid admits it: {reason}"
            )
    for method, lists in config.methods.items():
        if why := refused_everywhere(method, lists, cells):
            raise Mistake(("methods", method), f"no cell of the grid admits it: {why}")
