"""Raising and handling; only what the program raises itself is raised."""

import ast
import builtins
from collections.abc import Iterator
from typing import TYPE_CHECKING

from accsearch.codeeval.interpreter import conditions, lineage
from accsearch.codeeval.interpreter.control_flow import (
    CutSignal,
    EndlessSignal,
    ExitSignal,
    RaiseSignal,
    Signal,
)
from accsearch.codeeval.interpreter.scope import Scope
from accsearch.codeeval.values import Instance, Sequence, Symbol, Tuple, Unknown, UserClass, Value

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine


def raise_(machine: "Machine", node: ast.Raise, scope: Scope) -> None:
    """Run a raise statement."""
    if node.exc is None:
        raise RaiseSignal(machine.raised[-1] if machine.raised else Unknown())
    value = machine.evaluate(node.exc, scope)
    raise ExitSignal if _name(_class(value)) == "SystemExit" else RaiseSignal(value)


def assert_(machine: "Machine", node: ast.Assert, scope: Scope) -> None:
    """Run an assert statement; an unknown condition is taken to hold."""
    if conditions.condition(machine, node.test, scope) is False:
        raise RaiseSignal(Symbol("builtins.AssertionError"))


def try_(machine: "Machine", node: ast.Try | ast.TryStar, scope: Scope) -> Iterator[Value]:
    """Run a try statement."""
    pending: Signal | None = None
    try:
        yield from _guarded(machine, node, scope)
    except (EndlessSignal, CutSignal):
        raise
    except Signal as signal:
        if isinstance(signal, ExitSignal) and signal.hard:
            raise
        pending = signal
    yield from machine.execute(node.finalbody, scope)
    if pending is not None:
        raise pending


def _guarded(machine: "Machine", node: ast.Try | ast.TryStar, scope: Scope) -> Iterator[Value]:
    machine.handlers += bool(node.handlers)
    raised: Value | None = None
    handler: ast.ExceptHandler | None = None
    try:
        yield from machine.execute(node.body, scope)
    except (RaiseSignal, ExitSignal) as signal:
        raised = signal.value if isinstance(signal, RaiseSignal) else Symbol("builtins.SystemExit")
        handler = None if getattr(signal, "hard", False) else _handler(machine, node, raised, scope)
        if handler is None:
            raise
    finally:
        machine.handlers -= bool(node.handlers)
    if handler is None or raised is None:
        yield from machine.execute(node.orelse, scope)
        return
    if handler.name:
        machine.heap.write(scope.home(handler.name), handler.name, raised)
    machine.raised.append(raised)
    try:
        yield from machine.execute(handler.body, scope)
    finally:
        machine.raised.pop()


def _handler(
    machine: "Machine", node: ast.Try | ast.TryStar, raised: Value, scope: Scope
) -> ast.ExceptHandler | None:
    for handler in node.handlers:
        if handler.type is None or matches(raised, machine.evaluate(handler.type, scope)):
            return handler
    return None


def matches(raised: Value, wanted: Value) -> bool:
    """Tell whether an except clause for `wanted` catches `raised`; an unknown one is taken to."""
    if isinstance(wanted, Tuple | Sequence):
        return any(matches(raised, item) for item in wanted.items)
    cls = _class(raised)
    if cls is None or not isinstance(wanted, Symbol | UserClass):
        return True
    order = lineage.ancestors(cls)
    if wanted in order:
        return True
    target = _builtin(wanted)
    for ancestor in order:
        known = _builtin(ancestor)
        if known is not None and target is not None and issubclass(known, target):
            return True
    # An exception of a library is at least an Exception.
    return (
        target in (Exception, BaseException) and isinstance(order[-1], Symbol) and _builtin(order[-1]) is None
    )


def _class(value: Value) -> Value | None:
    if isinstance(value, Symbol | UserClass):
        return value
    return value.cls if isinstance(value, Instance) else None


def _name(cls: Value | None) -> str:
    return cls.leaf if isinstance(cls, Symbol) and cls.root == "builtins" else ""


def _builtin(cls: Value) -> type[BaseException] | None:
    found = getattr(builtins, _name(cls), None)
    return found if isinstance(found, type) and issubclass(found, BaseException) else None
