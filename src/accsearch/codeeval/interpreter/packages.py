"""What torchao, cache-dit and `accsearch.accelerate` do to a pipeline."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from accsearch.codeeval.interpreter import constants
from accsearch.codeeval.interpreter.acceleration import accelerated_part, cache_settings, put, unwrapped
from accsearch.codeeval.interpreter.constants import NotConstant
from accsearch.codeeval.interpreter.elsewhere import HANDED
from accsearch.codeeval.interpreter.heap import METHOD_KEYS, UNDECIDED
from accsearch.codeeval.knowledge import LISTED, TORCHAO_FUNCTIONS
from accsearch.codeeval.library_objects import Accelerated, Component, Pipeline
from accsearch.codeeval.values import Arguments, Constant, Instance, Symbol, Unknown, Value
from accsearch.errors import UsageError
from accsearch.methods.catalogue import METHODS
from accsearch.methods.combinations import complete, methods_of

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine

CONFIG = ("config",)
"""Key, in the state of a configuration of torchao, of the name of its class."""


def call(machine: "Machine", function: Symbol, given: Arguments) -> Value | None:
    """Return the result of a function of these packages, None if `function` is none of them."""
    if function.root == "torchao":
        return _torchao(machine, function, given)
    if function.root == "cache_dit":
        return _cache_dit(machine, function, given)
    if function.root == "accsearch" and function.leaf == "accelerate":
        return _accelerate(machine, function, given)
    return None


def _accelerate(machine: "Machine", function: Symbol, given: Arguments) -> Value:
    made = Accelerated(function)
    pipe = given.get("pipe", 0) or Unknown()
    machine.heap.write(made, "pipe", pipe)
    machine.heap.write(made, "methods", _trial(given.get("methods", 1)))
    target = unwrapped(pipe)
    if isinstance(target, Pipeline) and HANDED not in target.state:
        # Unless a with statement enters it, what becomes of the context is not followed.
        machine.heap.write(target, HANDED, True)
        machine.heap.write(made, HANDED, target)
    return made


def _torchao(machine: "Machine", function: Symbol, given: Arguments) -> Value | None:
    name = TORCHAO_FUNCTIONS.get(function.leaf, function.leaf)
    if name.endswith("Config"):
        made = Instance(function)
        machine.heap.write(made, CONFIG, {"config": name, **_keywords(given)})
        return made
    if name != "quantize_":
        return None
    config = given.get("config", 1) or Unknown()
    if CONFIG in config.state:
        put(machine, given.get("model", 0), "quantize", config.state[CONFIG])
    elif isinstance(config, Unknown):
        put(machine, given.get("model", 0), "quantize", {"config": None})
    return Constant(None)


def _cache_dit(machine: "Machine", function: Symbol, given: Arguments) -> Value | None:
    if function.leaf == "BlockAdapter":
        # It says which blocks of a pipeline are meant, or of a module alone.
        return given.get("pipe", 0) or given.get("transformer", 1)
    target = given.get("pipe_or_adapter", 0)
    if function.leaf == "enable_cache":
        config = given.get("cache_config", 1) or (Unknown() if given.open_keywords else None)
        settings = cache_settings("cache_dit", config)
        calibrator = given.get("calibrator_config", 2)
        if calibrator is not None and not (isinstance(calibrator, Constant) and calibrator.value is None):
            settings["calibrator_config"] = (
                calibrator.class_name if isinstance(calibrator, Instance) else None
            )
        put(machine, target, "cache_dit", settings)
        return target
    if function.leaf == "disable_cache":
        component = accelerated_part(target)
        if component is not None:
            machine.heap.delete(component, ("cache_dit",))
        return target
    return Instance(function) if function.leaf.endswith("Config") else None


def _keywords(given: Arguments) -> dict[str, Any]:
    return {name: constants.plain(value) for name, value in given.keywords.items()}


def _trial(value: Value | None) -> Mapping[str, Mapping[str, Any]] | None:
    """Return the methods that a trial's id or a dict means, as they are listed; None if only a run can tell."""
    try:
        given = constants.to_python(value or Unknown())
        methods = methods_of(given) if isinstance(given, str) else complete(given)
    except (NotConstant, UsageError, AttributeError, TypeError):
        return None
    found = {}
    for name, parameters in methods.items():
        library = METHODS[name].library
        found[LISTED[name]] = dict(parameters) if library is None else library.written(parameters)
    return found


def enter(machine: "Machine", context: Accelerated) -> Value:
    """Put the methods on the pipeline; return it."""
    pipe: Value = context.state["pipe"]
    component = accelerated_part(pipe)
    if component is not None:
        if HANDED in context.state:
            machine.heap.delete(context.state[HANDED], HANDED)
        machine.heap.write(context, "before", _held(component))
        methods = context.state["methods"]
        if methods is None:
            methods = dict.fromkeys(METHOD_KEYS, UNDECIDED)
        for name, parameters in methods.items():
            machine.heap.write(component, (name,), parameters)
    return pipe


def leave(machine: "Machine", context: Accelerated) -> None:
    """Take the methods off again."""
    component = accelerated_part(context.state["pipe"])
    before = context.state.get("before")
    if component is None or not isinstance(before, dict):
        return
    for key in _held(component).keys() - before.keys():
        machine.heap.delete(component, key)
    for key, content in before.items():
        machine.heap.write(component, key, content)


def _held(component: Component) -> dict[Any, Any]:
    return {key: content for key, content in component.state.items() if _is_method(key)}


def _is_method(key: Any) -> bool:
    return isinstance(key, tuple) and key[0] in METHOD_KEYS
