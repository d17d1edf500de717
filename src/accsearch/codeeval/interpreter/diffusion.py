"""Objects of diffusers: pipelines, their modules and schedulers, and the calls that generate images."""

from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from accsearch.codeeval.fields import Fields
from accsearch.codeeval.interpreter import (
    acceleration,
    assembly,
    constants,
    elsewhere,
    functions,
    lineage,
    modules,
    packages,
)
from accsearch.codeeval.interpreter.acceleration import LOADER
from accsearch.codeeval.interpreter.heap import UNDECIDED
from accsearch.codeeval.knowledge import CALL_ARGUMENTS, COMPONENTS, TGATE_PARAMETERS
from accsearch.codeeval.library_objects import Compiled, Component, Helper, Pipeline, Scheduler, owner_of
from accsearch.codeeval.signatures import LOADER_STEPS_INDEX, STEPS_INDEX
from accsearch.codeeval.values import Arguments, Constant, Instance, Native, Symbol, Unknown, UserClass, Value

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine

_CONSTRUCTORS = ("from_pretrained", "from_single_file", "from_ckpt")


def call(machine: "Machine", function: Symbol, given: Arguments) -> Value | None:
    """Return the result of calling something of diffusers or an acceleration package, else None."""
    accelerated = acceleration.call(machine, function, given) or packages.call(machine, function, given)
    if accelerated is not None:
        return accelerated
    owner, _, name = function.name.rpartition(".")
    for cls, method in ((function, "__init__"), (Symbol(owner), name)):
        if modules.is_pipeline_class(cls) or modules.is_scheduler_class(cls) or _is_module_class(cls):
            return _call_class(machine, cls, method, given)
    return None


def _is_module_class(cls: Symbol) -> bool:
    return cls.root in ("diffusers", "transformers") and cls.leaf[:1].isupper()


def instance_of(machine: "Machine", cls: Value, base: Symbol | None, given: Arguments) -> Instance | None:
    """Return a new object of a library's class or of the program's class derived from it."""
    if base is None:
        return None
    if modules.is_pipeline_class(base):
        return assembly.assemble(machine, cls, given)
    if modules.is_scheduler_class(base):
        return Scheduler(cls)
    if base == acceleration.HELPER_CLASS:
        return acceleration.make_helper(machine, cls, given)
    return Component(cls) if _is_module_class(base) else None


def _call_class(machine: "Machine", cls: Symbol | UserClass, method: str, given: Arguments) -> Value:
    """Run a method of a class: a constructor, or a method of its instances given the instance."""
    base = cls if isinstance(cls, Symbol) else lineage.library_base(cls)
    if base is None:
        return Unknown()
    first = given.get("self", 0)
    if modules.is_pipeline_class(base):
        if method in _CONSTRUCTORS:
            return assembly.load(machine, cls, given)
        if method == "from_pipe":
            return assembly.from_pipe(machine, cls, given)
    elif method.startswith("from_"):
        return instance_of(machine, cls, base, Arguments()) or Unknown()
    if method == "__init__":
        return instance_of(machine, cls, base, given) or Unknown()
    if isinstance(first, Instance):
        rest = Arguments(given.positional[1:], given.keywords, given.open_positional, given.open_keywords)
        return call_native(machine, Native(first, method), rest)
    return Unknown()


def attribute(machine: "Machine", value: Instance, name: str) -> Value | None:
    """Return an attribute that the library gives to its object, None if `value` is of no library."""
    if isinstance(value, Pipeline) and name == "components":
        names = ("scheduler", *COMPONENTS)
        made = machine.names(
            {key: value.state[key] for key in names if isinstance(value.state.get(key), Value)}
        )
        machine.heap.write(made, "origin", value)
        return made
    if isinstance(value, Pipeline | Component | Scheduler | Helper) or value.class_name == "Thread":
        return Native(value, name)
    return None


def call_native(machine: "Machine", function: Native, given: Arguments) -> Value:
    """Run a method of a library's object or class."""
    receiver, name = function.receiver, function.name
    if isinstance(receiver, UserClass):
        return _call_class(machine, receiver, name, given)
    if isinstance(receiver, Pipeline):
        return _call_pipeline_method(machine, receiver, name, given)
    if isinstance(receiver, Helper):
        return acceleration.call_helper(machine, receiver, name, given)
    if isinstance(receiver, Component):
        return acceleration.call_component(machine, receiver, name, given)
    if isinstance(receiver, Scheduler):
        return Scheduler(receiver.cls) if name.startswith("from_") else Unknown()
    if isinstance(receiver, Instance) and receiver.class_name == "Thread" and name in ("start", "run"):
        return _start(machine, receiver)
    if isinstance(receiver, Instance) and name == "__init__" and lineage.is_foreign(receiver.cls):
        elsewhere.open_up(machine, receiver, given.keywords)
    owner = owner_of(receiver)
    if owner is not None and name in acceleration.OF_PARTS:
        return acceleration.call_component(machine, owner, name, given, part=receiver)
    # A method that a class inherits from a library may call others of its own.
    machine.heap.write(machine.journal, "elsewhere", True)
    return Unknown()


def _start(machine: "Machine", thread: Instance) -> Value:
    target = thread.state.get("target")
    given = Arguments()
    items = machine.iterate(thread.state["args"]) if "args" in thread.state else iter(())
    given.positional = list(items or ())
    given.open_positional = items is None
    keywords = thread.state.get("kwargs")
    if keywords is not None:
        functions.spread(given, keywords)
    if isinstance(target, Value):
        machine.call(target, given)
    return Constant(None)


def _call_pipeline_method(machine: "Machine", pipe: Pipeline, name: str, given: Arguments) -> Value:
    if name == "__call__":
        return generate(machine, pipe, given)
    if name == "tgate":
        return generate(machine, pipe, given, gated=True) if LOADER in pipe.state else Unknown()
    if name in ("__init__", "register_modules"):
        for key, value in given.keywords.items():
            if key == "scheduler" or key in COMPONENTS:
                machine.heap.write(pipe, key, value)
        return Constant(None)
    if name in _CONSTRUCTORS and pipe.cls is not None:
        return assembly.load(machine, pipe.cls, given)
    return pipe if name == "to" else Unknown()


def call_pipeline(machine: "Machine", pipe: Pipeline, own: Value | None, given: Arguments) -> Value:
    """Call a pipeline; `own` is the `__call__` of its class where the program defines one."""
    base = lineage.library_base(pipe.cls)
    replaced = (
        machine.patches.state.get(modules.canonical(f"{base.name}.__call__")) if base is not None else None
    )
    if own is None and isinstance(replaced, Value):
        own = replaced
    if own is None:
        return generate(machine, pipe, given)
    before = machine.journal.state["last"]
    generate(machine, pipe, given)
    outer = machine.journal.state["last"]
    machine.heap.write(machine.journal, "last", None)
    result = machine.call(own, given.prefixed(pipe))
    if machine.journal.state["last"] is None:
        # The class's own call reached no other, so it is the one that makes the image.
        machine.heap.write(machine.journal, "last", outer or before)
    return result


def generate(
    machine: "Machine",
    pipe: Pipeline,
    given: Arguments,
    *,
    gated: bool = False,
    compiled: Compiled | None = None,
) -> Value:
    """Note an image-generating call of `pipe`."""
    settings = describe(pipe)
    active = acceleration.active_methods(pipe)
    methods: dict[str, Any] | None = None if active is None else dict(active)
    loader = pipe.state.get(LOADER)
    own = acceleration.call_arguments(pipe, given)
    if own is None or (gated and loader is UNDECIDED):
        methods = None
    if methods is not None:
        if own:
            methods["deepcache"] = own
        if compiled is not None:
            methods["torch_compile"] = {**methods.get("torch_compile", {}), **compiled.parameters}
        if gated:
            methods["tgate"] = acceleration.written(Arguments([], given.keywords), TGATE_PARAMETERS)
    if methods == {} and (acceleration.is_handed(pipe) or "loose" in machine.journal.state):
        methods = None
    index = LOADER_STEPS_INDEX.get(loader) if gated and isinstance(loader, str) else _steps_index(pipe)
    steps = given.get("num_inference_steps", index)
    if isinstance(steps, Constant) and steps.value is None:
        steps = None
    unsure = given.open_positional or given.open_keywords or (index is None and len(given.positional) > 1)
    unwritten = settings.unwritten | ({"num_inference_steps"} if steps is None and not unsure else set())
    machine.record(
        replace(
            settings,
            num_inference_steps=whole_number(steps),
            methods=methods,
            unwritten=unwritten,
            arguments=_call_arguments(given),
        )
    )
    return Unknown()


def _call_arguments(given: Arguments) -> dict[str, Any]:
    """Return what the call gives of `CALL_ARGUMENTS`; one that may stand among others unnamed is None."""
    unnamed = given.open_positional or given.open_keywords or len(given.positional) > 1
    named = {
        name: constants.plain(value)
        for name, value in given.keywords.items()
        if name in CALL_ARGUMENTS and not (isinstance(value, Constant) and value.value is None)
    }
    return {**(dict.fromkeys(CALL_ARGUMENTS) if unnamed else {}), **named}


def _steps_index(pipe: Pipeline) -> int | None:
    base = lineage.library_base(pipe.cls)
    return None if base is None else STEPS_INDEX.get(base.leaf)


def describe(pipe: Pipeline) -> Fields:
    """Return the fields that a pipeline would bring to a plain call, without the step count."""
    model = pipe.state.get(assembly.MODEL)
    scheduler = pipe.state.get("scheduler")
    return Fields(
        pipeline=pipe.class_name,
        model_id=_text(model),
        scheduler=scheduler.class_name if isinstance(scheduler, Scheduler) else None,
        methods=acceleration.active_methods(pipe),
        unwritten=frozenset(
            {"scheduler"} if isinstance(scheduler, Scheduler) and assembly.DEFAULT in scheduler.state else ()
        ),
    )


def _text(value: object) -> str | None:
    content = value.value if isinstance(value, Constant) else None
    return str(content) if isinstance(content, str | PurePath) else None


def whole_number(value: Value | None) -> int | None:
    """Return the integer that `value` is, None if it is none or unknown."""
    content = value.value if isinstance(value, Constant) else None
    return content if isinstance(content, int) and not isinstance(content, bool) else None
