"""Reading and writing attributes."""

from pathlib import PurePath
from typing import TYPE_CHECKING

from accsearch.codeeval.interpreter import diffusion, elsewhere, introspection, lineage, modules
from accsearch.codeeval.library_objects import Compiled, Component
from accsearch.codeeval.values import (
    Arguments,
    Constant,
    Function,
    Instance,
    Method,
    Namespace,
    Native,
    Partial,
    Super,
    Symbol,
    Unknown,
    UserClass,
    Value,
    Wrapper,
)

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine

_PATH_PARTS = ("name", "stem", "suffix", "parent", "parts")


def get(machine: "Machine", value: Value, name: str) -> Value:
    """Return `value.name`; unknown where Python would raise."""
    if name == "__class__":
        return introspection.type_of(value)
    if isinstance(value, Unknown):
        known = value.state.get(name)
        if known is None:
            known = Unknown(("attribute", value.origin, name))
            machine.heap.write(value, name, known)
        return known if isinstance(known, Value) else Unknown()
    if isinstance(value, Symbol):
        return Constant(value.leaf) if name == "__name__" else machine.symbol(f"{value.name}.{name}")
    if isinstance(value, Compiled):
        return value.inner if name == "_orig_mod" else machine.get(value.inner, name)
    if isinstance(value, UserClass):
        return _of_class(machine, value, name)
    if isinstance(value, Instance):
        return _of_instance(machine, value, name)
    if isinstance(value, Super):
        return _of_super(value, name)
    if isinstance(value, Function | Method | Partial):
        return _of_callable(value, name)
    if isinstance(value, Constant) and isinstance(value.value, PurePath) and name in _PATH_PARTS:
        part = getattr(value.value, name)
        return Constant(part) if isinstance(part, str | PurePath) else Unknown()
    return Native(value, name)


def _of_callable(value: Function | Method | Partial, name: str) -> Value:
    if name in value.state:
        found: Value = value.state[name]
        return found
    if name == "__call__":
        return value
    if isinstance(value, Method):
        if name == "__self__":
            return value.receiver
        return value.function if name == "__func__" else Unknown()
    if isinstance(value, Partial):
        return value.function if name == "func" else Unknown()
    return Constant(value.name) if name in ("__name__", "__qualname__") else Unknown()


def _of_class(machine: "Machine", cls: UserClass, name: str) -> Value:
    found = lineage.find(cls, name)
    if found is not None:
        return bound(machine, found, cls, cls)
    if name in ("__name__", "__qualname__"):
        return Constant(cls.name)
    if name == "__dict__":
        return Namespace(cls)
    if name == "__members__" and cls.enumeration:
        return machine.names({key: item for key, item in cls.state.items() if isinstance(item, Instance)})
    return Native(cls, name)


def bound(machine: "Machine", found: Value, receiver: Value, cls: Value | None) -> Value:
    """Return a class attribute as it appears on `receiver`."""
    on_class = receiver is cls
    if isinstance(found, Function):
        return found if on_class else Method(found, receiver)
    if not isinstance(found, Wrapper):
        return found
    if found.kind == "staticmethod":
        return found.function
    if found.kind == "classmethod" and cls is not None:
        return Method(found.function, cls)
    if found.kind == "property" and not on_class:
        return machine.call(found.function, Arguments([receiver]))
    if found.kind == "contextmanager" and not on_class:
        return Method(found, receiver)
    return found


def _of_instance(machine: "Machine", value: Instance, name: str) -> Value:
    found = lineage.find(value.cls, name)
    if isinstance(found, Wrapper) and found.kind == "property":
        return bound(machine, found, value, value.cls)
    if name in value.state:
        held = value.state[name]
        return held if isinstance(held, Value) else Unknown()
    if found is not None:
        if elsewhere.OPEN in value.state and not isinstance(found, Function | Wrapper):
            return Unknown(("attribute", value, name))
        return bound(machine, found, value, value.cls)
    if name == "__dict__":
        return Namespace(value)
    patched = _patched_class_attribute(machine, value, name)
    if patched is not None:
        return bound(machine, patched, value, value.cls)
    native = diffusion.attribute(machine, value, name)
    if native is not None:
        return native
    fallback = lineage.find(value.cls, "__getattr__")
    if fallback is not None and not name.startswith("__"):
        return machine.call(bound(machine, fallback, value, value.cls), Arguments([Constant(name)]))
    return Native(value, name) if name == "__init__" else Unknown()


def _patched_class_attribute(machine: "Machine", value: Instance, name: str) -> Value | None:
    """Return what the program has put in place of a method of a library's class."""
    base = lineage.library_base(value.cls)
    if base is None:
        return None
    replaced = machine.patches.state.get(modules.canonical(f"{base.name}.{name}"))
    return replaced if isinstance(replaced, Value) else None


def _of_super(value: Super, name: str) -> Value:
    receiver = value.receiver
    cls = receiver if isinstance(receiver, UserClass) else introspection.type_of(receiver)
    found = lineage.find(cls, name, after=value.owner)
    if found is None:
        return Native(receiver, name)
    if isinstance(found, Wrapper) and found.kind == "staticmethod":
        return found.function
    if isinstance(found, Wrapper) and found.kind == "classmethod":
        return Method(found.function, cls)
    return Method(found.function if isinstance(found, Wrapper) else found, receiver)


def set_(machine: "Machine", value: Value, name: str, content: Value) -> None:
    """Do `value.name = content`."""
    if isinstance(value, Symbol):
        machine.heap.write(machine.patches, modules.canonical(f"{value.name}.{name}"), content)
    elif isinstance(value, Compiled):
        machine.set(value.inner, name, content)
    elif isinstance(value, Instance):
        found = lineage.find(value.cls, name)
        if isinstance(found, Wrapper) and found.setter is not None:
            machine.call(found.setter, Arguments([value, content]))
        else:
            machine.heap.write(value, name, content)
    elif isinstance(value, Native):
        _set_inner(machine, value, name, content)
    elif isinstance(value, Unknown | UserClass | Function):
        machine.heap.write(value, name, content)


def _set_inner(machine: "Machine", value: Native, name: str, content: Value) -> None:
    """Set an attribute of something inside a component, such as `vae.decoder.forward`."""
    receiver: Value = value
    path = [name]
    while isinstance(receiver, Native):
        path.insert(0, receiver.name)
        receiver = receiver.receiver
    if isinstance(receiver, Component):
        machine.heap.write(receiver, ".".join(path), content)
