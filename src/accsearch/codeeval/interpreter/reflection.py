"""Builtin functions that look into objects and classes."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from accsearch.codeeval.interpreter import elsewhere, introspection, lineage
from accsearch.codeeval.library_objects import Component, Pipeline
from accsearch.codeeval.values import (
    Arguments,
    Constant,
    Instance,
    Namespace,
    Native,
    Super,
    Unknown,
    UserClass,
    Value,
)

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine
    from accsearch.codeeval.interpreter.scope import Scope


def of_scope(machine: "Machine", name: str, scope: "Scope") -> Value:
    """Return a bare `super()`, `locals()` or `vars()`."""
    if name != "super":
        return Namespace(scope)
    current: Scope | None = scope
    while current is not None:
        if isinstance(current.owner, UserClass) and current.receiver is not None:
            return Super(current.owner, current.receiver)
        current = current.parent
    return Unknown()


def _getattr(machine: "Machine", given: Arguments) -> Value:
    if len(given.positional) < 2 or not isinstance(given.positional[1], Constant):
        return Unknown()
    value, name = given.positional[0], given.positional[1].value
    if not isinstance(name, str):
        return Unknown()
    found = machine.get(value, name)
    if len(given.positional) == 3 and isinstance(value, Instance) and isinstance(found, Unknown):
        return given.positional[2] if name not in value.state else found
    return found


def _setattr(machine: "Machine", given: Arguments) -> Value:
    if len(given.positional) == 3 and isinstance(given.positional[1], Constant):
        machine.set(given.positional[0], str(given.positional[1].value), given.positional[2])
    elif len(given.positional) == 3:
        _set_unknown(machine, given.positional[0], given.positional[2])
    return Constant(None)


def _set_unknown(machine: "Machine", target: Value, content: Value) -> None:
    """Set an attribute of which the name is unknown."""
    if isinstance(target, Pipeline):
        machine.heap.write(target, elsewhere.HANDED, True)
    elif isinstance(target, Component | Native):
        machine.set(target, "[]", content)
    elif isinstance(target, Instance):
        elsewhere.open_up(machine, target, [name for name in target.state if isinstance(name, str)])


def _delattr(machine: "Machine", given: Arguments) -> Value:
    if len(given.positional) == 2 and isinstance(given.positional[1], Constant):
        machine.heap.delete(given.positional[0], given.positional[1].value)
    return Constant(None)


def _hasattr(machine: "Machine", given: Arguments) -> Value:
    value, name = given.get("", 0), given.get("", 1)
    if not isinstance(name, Constant) or not isinstance(value, Instance | UserClass):
        return Unknown()
    if name.value in value.state:
        return Constant(True)
    found = machine.get(value, str(name.value))
    if not isinstance(found, Unknown | Native):
        return Constant(True)
    cls = value.cls if isinstance(value, Instance) else value
    return Unknown() if lineage.library_base(cls) is not None else Constant(False)


def _isinstance(machine: "Machine", given: Arguments) -> Value:
    verdict = introspection.is_instance(*given.positional[:2]) if len(given.positional) >= 2 else Unknown()
    return verdict if isinstance(verdict, Unknown) else Constant(verdict)


def _issubclass(machine: "Machine", given: Arguments) -> Value:
    verdict = introspection.is_subclass(*given.positional[:2]) if len(given.positional) >= 2 else Unknown()
    return verdict if isinstance(verdict, Unknown) else Constant(verdict)


def _type(machine: "Machine", given: Arguments) -> Value:
    return introspection.type_of(given.positional[0]) if len(given.positional) == 1 else Unknown()


def _super(machine: "Machine", given: Arguments) -> Value:
    owner, receiver = given.get("", 0), given.get("", 1)
    return Super(owner, receiver) if isinstance(owner, UserClass) and receiver is not None else Unknown()


def _vars(machine: "Machine", given: Arguments) -> Value:
    value = given.get("", 0)
    return Namespace(value) if isinstance(value, Instance | UserClass | Unknown) else Unknown()


def _callable(machine: "Machine", given: Arguments) -> Value:
    value = given.get("", 0)
    return (
        Unknown() if isinstance(value, Unknown | Native | None) else Constant(not isinstance(value, Constant))
    )


HANDLERS: dict[str, Callable[["Machine", Arguments], Value]] = {
    "getattr": _getattr,
    "setattr": _setattr,
    "delattr": _delattr,
    "hasattr": _hasattr,
    "isinstance": _isinstance,
    "issubclass": _issubclass,
    "type": _type,
    "super": _super,
    "vars": _vars,
    "callable": _callable,
}
