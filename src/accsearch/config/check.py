"""Checks across keys: ids, schedulers, steps, placeholders, and methods that no cell admits."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec

from accsearch.config.cells import cells_of, refusals, refused_everywhere
from accsearch.config.mistake import Mistake, nearest
from accsearch.config.placeholders import RESERVED, unknown_placeholder
from accsearch.config.sampling import misfit, refused_steps
from accsearch.config.schedulers import SCHEDULERS, SUFFIX, UNFIT, scheduler_name
from accsearch.config.schema import Config
from accsearch.config.sources import check_sources
from accsearch.methods.catalogue import METHODS
from accsearch.methods.combinations import combinations_of, trial_id

MAX_ID_BYTES = 200
MAX_TASKS = 100_000
MAX_STEPS = 1000
"""Timesteps that the models of diffusers are trained with; no sampler can take more steps."""
_WHOLE = re.compile(r"[1-9][0-9]*")


def check_alone(config: Config) -> Iterator[Mistake]:
    """Yield the mistakes that do not depend on the models."""
    yield from _ids(config)
    if config.worker.kind == "command":
        yield from _command(config)
        return
    yield from _schedulers(config)
    yield from _steps(config)
    yield from _worker(config)
    yield from check_sources(config)


def check_with_models(config: Config) -> Iterator[Mistake]:
    """Yield the mistakes that depend on the models, for a configuration in which `check_alone` finds none."""
    yield from _fit(config)
    yield from _methods(config)
    yield from _trials(config)


def _ids(config: Config) -> Iterator[Mistake]:
    for axis, values in config.grid.items():
        for index, value in enumerate(values):
            if len(value) > MAX_ID_BYTES:
                yield Mistake(("grid", axis, index), f"is longer than {MAX_ID_BYTES} bytes")
        for value, times in Counter(values).items():
            if times > 1:
                last = len(values) - 1 - values[::-1].index(value)
                yield Mistake(
                    ("grid", axis, last), f"{value} is given twice, so that two tasks would have one id"
                )
    longest = sum(max(map(len, values)) + 1 for values in config.grid.values()) - 1
    if longest > MAX_ID_BYTES:
        yield Mistake(("grid",), f"a task's id would have {longest} bytes (allowed {MAX_ID_BYTES})")
    tasks = math.prod(len(values) for values in config.grid.values())
    if tasks > MAX_TASKS:
        yield Mistake(("grid",), f"has {tasks} tasks (allowed {MAX_TASKS})")


def _command(config: Config) -> Iterator[Mistake]:
    worker = config.worker
    if not worker.command:
        yield Mistake(("worker", "command"), "is missing (allowed a list of a program and its arguments)")
    for axis in config.grid:
        if axis in RESERVED:
            yield Mistake(
                ("grid", axis), f"an axis cannot be named {axis}, {{{axis}}} has a meaning of its own"
            )
    for index, text in enumerate(worker.command):
        if wrong := unknown_placeholder(text, (*config.grid, *RESERVED)):
            yield Mistake(("worker", "command", index), wrong)
    if wrong := unknown_placeholder(worker.success_sentinel, (*config.grid, "task", "config")):
        yield Mistake(("worker", "success_sentinel"), wrong)
    if "\n" in worker.success_sentinel or not worker.success_sentinel.strip():
        yield Mistake(("worker", "success_sentinel"), "allowed one line of text")


def _schedulers(config: Config) -> Iterator[Mistake]:
    seen: dict[str, str] = {}
    for index, written in enumerate(config.grid.get("sched", ())):
        path = ("grid", "sched", index)
        stem = written.removesuffix(SUFFIX)
        name = scheduler_name(written)
        if name is None and stem in UNFIT:
            yield Mistake(path, f"{written} {UNFIT[stem]} (allowed {', '.join(sorted(SCHEDULERS))})")
        elif name is None:
            known = ", ".join(sorted(SCHEDULERS))
            yield Mistake(path, f"unknown scheduler {written} (allowed {known}{nearest(stem, SCHEDULERS)})")
        elif name in seen:
            yield Mistake(path, f"{written} is the same scheduler as {seen[name]}")
        else:
            seen[name] = written


def _steps(config: Config) -> Iterator[Mistake]:
    for index, value in enumerate(config.grid.get("steps", ())):
        if not _WHOLE.fullmatch(value) or int(value) > MAX_STEPS:
            yield Mistake(("grid", "steps", index), f"{value} is not allowed (allowed 1 to {MAX_STEPS})")


def _fit(config: Config) -> Iterator[Mistake]:
    """Yield the schedulers that do not fit how a model was trained, and the steps that a scheduler cannot take."""
    fitting: list[tuple[str, str]] = []
    for index, written in enumerate(config.grid["sched"]):
        for pipe in config.grid["pipe"]:
            model, name = config.model(pipe), written.removesuffix(SUFFIX)
            if why := misfit(name, model.scheduler, model.pipeline_class, pipe):
                yield Mistake(("grid", "sched", index), why)
            else:
                fitting.append((name, pipe))
    for index, value in enumerate(config.grid["steps"]):
        for name, pipe in fitting:
            if why := refused_steps(name, config.model(pipe).scheduler, int(value)):
                yield Mistake(("grid", "steps", index), f"{value} is not allowed with {pipe}: {why}")


def _worker(config: Config) -> Iterator[Mistake]:
    worker = config.worker
    if worker.max_repeats < worker.repeats:
        message = f"{worker.max_repeats} is not allowed (allowed at least repeats, {worker.repeats})"
        yield Mistake(("worker", "max_repeats"), message)
    search = config.search
    for key, value in (("target_speedup", search.target_speedup), ("budget", search.budget)):
        if value is not None and search.strategy != "upper_bound":
            yield Mistake(("search", key), "needs search.strategy: upper_bound")
        if value is not None and config.quality is None:
            message = f"null is not allowed (allowed a scorer, which search.{key} needs)"
            yield Mistake(("quality",), message)


def _trials(config: Config) -> Iterator[Mistake]:
    """Yield the trials asked for that no combination of the methods makes."""
    offered = {trial_id(methods) for methods in combinations_of(config.methods)}
    for index, trial in enumerate(config.search.trials or ()):
        if trial not in offered:
            message = f"no combination of `methods` is {trial}{nearest(trial, offered)}"
            yield Mistake(("search", "trials", index), message)


def _methods(config: Config) -> Iterator[Mistake]:
    """Yield what the user listed and no cell admits; of the defaults such values are merely left out."""
    if config.facts.default_methods:
        return
    cells = list(cells_of(config))
    distinct = set(cells)
    wrong: set[str] = set()
    for (method, name, value), refusing in refusals(config.methods, cells).items():
        if distinct <= refusing.keys():
            values = config.methods[method][name]
            reason = refusing[cells[0]]
            wrong.add(method)
            yield Mistake(
                ("methods", method, name, values.index(value)), f"no cell of the grid admits it: {reason}"
            )
    for method in config.methods:
        if why := _lacking_package(method):
            wrong.add(method)
            yield Mistake(("methods", method), why)
    for method, lists in config.methods.items():
        if method not in wrong and (why := refused_everywhere(method, lists, cells)):
            yield Mistake(("methods", method), f"no cell of the grid admits it: {why}")


def _lacking_package(method: str) -> str | None:
    """Return how to install the package that a method needs, None where it is there or none is needed."""
    info = METHODS[method]
    if not info.module or find_spec(info.module) is not None:
        return None
    return f"needs the package {info.package}: pip install 'accsearch[{info.extra}]'"
