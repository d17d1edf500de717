"""Pipelines made: loaded from a model, put together from components, or made from another."""

from typing import TYPE_CHECKING

from accsearch.codeeval.interpreter import acceleration, elsewhere
from accsearch.codeeval.knowledge import COMPONENTS
from accsearch.codeeval.library_objects import Compiled, Component, Pipeline, Scheduler
from accsearch.codeeval.values import Arguments, Constant, Unknown, Value

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine

MODEL = ("model",)
DEFAULT = ("default",)
_MODEL_KEYWORDS = ("pretrained_model_name_or_path", "pretrained_model_link_or_path", "model_id")
"""optimum calls it `model_id`."""


def _new_pipeline(machine: "Machine", cls: Value) -> Pipeline:
    pipe = Pipeline(cls)
    machine.heap.write(pipe, MODEL, Constant(None))
    scheduler = Scheduler(None)
    machine.heap.write(scheduler, DEFAULT, True)
    machine.heap.write(pipe, "scheduler", scheduler)
    for name in COMPONENTS:
        component = Component(None)
        machine.heap.write(component, ("part",), name)
        machine.heap.write(pipe, name, component)
    machine.heap.write(machine.journal, "built", pipe)
    return pipe


def load(machine: "Machine", cls: Value, given: Arguments) -> Pipeline:
    """Return the pipeline that a class loads from a model."""
    pipe = _new_pipeline(machine, cls)
    named = next((given.keywords[name] for name in _MODEL_KEYWORDS if name in given.keywords), None)
    model = named if named is not None else given.get("", 0)
    machine.heap.write(pipe, MODEL, model or Unknown())
    if given.open_keywords:
        _leave_open(machine, pipe)
    _install(machine, pipe, given.keywords)
    return pipe


def _leave_open(machine: "Machine", pipe: Pipeline) -> None:
    """Note that components may have been given to the pipeline that are not known."""
    machine.heap.write(pipe, "scheduler", Unknown())
    machine.heap.write(pipe, elsewhere.HANDED, True)


def assemble(machine: "Machine", cls: Value, given: Arguments) -> Pipeline:
    """Return a pipeline made of components."""
    pipe = _new_pipeline(machine, cls)
    if isinstance(given.origin, Pipeline):
        machine.heap.write(pipe, MODEL, given.origin.state[MODEL])
    if given.positional or given.open_positional or given.open_keywords:
        _leave_open(machine, pipe)
    _install(machine, pipe, given.keywords)
    return pipe


def from_pipe(machine: "Machine", cls: Value, given: Arguments) -> Value:
    """Return a pipeline made of the components of another."""
    source = acceleration.unwrapped(given.get("pipeline", 0))
    pipe = _new_pipeline(machine, cls)
    if isinstance(source, Pipeline):
        for name in (MODEL, "scheduler", *COMPONENTS):
            machine.heap.write(pipe, name, source.state[name])
        if elsewhere.HANDED in source.state:
            machine.heap.write(pipe, elsewhere.HANDED, True)
    else:
        machine.heap.write(pipe, MODEL, Unknown())
        machine.heap.write(pipe, "scheduler", Unknown())
        machine.heap.write(pipe, "unet", Unknown())
    _install(machine, pipe, given.keywords)
    return pipe


def _install(machine: "Machine", pipe: Pipeline, keywords: dict[str, Value]) -> None:
    """Put the components given by keyword into the pipeline; one of unknown making may bring a method."""
    for name, value in keywords.items():
        if name in COMPONENTS and isinstance(value, Unknown) and elsewhere.root_of(value) != "library":
            machine.heap.write(pipe, elsewhere.HANDED, True)
        if name == "scheduler" or (name in COMPONENTS and isinstance(value, Component | Compiled)):
            machine.heap.write(pipe, name, value)
