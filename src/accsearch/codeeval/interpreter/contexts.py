"""With statements."""

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from accsearch.codeeval.interpreter import conditions, exceptions, expressions, lineage, packages
from accsearch.codeeval.interpreter.control_flow import (
    BreakSignal,
    ContinueSignal,
    RaiseSignal,
    ReturnSignal,
    Signal,
)
from accsearch.codeeval.interpreter.scope import Scope
from accsearch.codeeval.library_objects import Accelerated
from accsearch.codeeval.values import Arguments, Constant, Instance, Stream, Unknown, Value, Wrapper

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine

_ORDERLY = (ReturnSignal, BreakSignal, ContinueSignal)


def with_(machine: "Machine", node: ast.With | ast.AsyncWith, scope: Scope) -> Iterator[Value]:
    """Run a with statement."""
    yield from _entered(machine, node, node.items, scope)


def _entered(
    machine: "Machine", node: ast.With | ast.AsyncWith, items: list[ast.withitem], scope: Scope
) -> Iterator[Value]:
    if not items:
        yield from machine.execute(node.body, scope)
        return
    context = machine.evaluate(items[0].context_expr, scope)
    entered = _enter(machine, context)
    if items[0].optional_vars is not None:
        machine.assign(items[0].optional_vars, entered, scope)
    pending: Signal | None = None
    try:
        yield from _entered(machine, node, items[1:], scope)
    except (*_ORDERLY, RaiseSignal) as signal:
        pending = signal
    raised = pending.value if isinstance(pending, RaiseSignal) else None
    if _exit(machine, context, raised):
        return
    if pending is not None:
        raise pending


def _enter(machine: "Machine", context: Value) -> Value:
    if isinstance(context, Accelerated):
        return packages.enter(machine, context)
    if isinstance(context, Wrapper) and isinstance(context.function, Stream):
        return machine.advance(context.function) or Unknown()
    if isinstance(context, Wrapper):
        return context.function
    if isinstance(context, Instance):
        for name in ("__enter__", "__aenter__"):
            if lineage.find(context.cls, name) is not None:
                entered = machine.call(machine.get(context, name), Arguments())
                return expressions.awaited(machine, entered) if name == "__aenter__" else entered
    return Unknown()


def _exit(machine: "Machine", context: Value, raised: Value | None) -> bool:
    """Leave the context; return whether it swallowed what was raised."""
    if isinstance(context, Accelerated):
        packages.leave(machine, context)
        return False
    if isinstance(context, Wrapper) and isinstance(context.function, Stream):
        return _exit_generator(machine, context.function, raised)
    if isinstance(context, Wrapper) and context.kind == "suppress":
        return raised is not None and exceptions.matches(raised, context.function)
    if isinstance(context, Instance):
        for name in ("__exit__", "__aexit__"):
            if lineage.find(context.cls, name) is not None:
                details: list[Value] = (
                    [Constant(None)] * 3 if raised is None else [Unknown(), raised, Unknown()]
                )
                result = machine.call(machine.get(context, name), Arguments(details))
                if name == "__aexit__":
                    result = expressions.awaited(machine, result)
                return raised is not None and conditions.truth(machine, result) is True
    return False


def _exit_generator(machine: "Machine", stream: Stream, raised: Value | None) -> bool:
    if raised is None:
        machine.advance(stream)
        return False
    throw = getattr(stream.iterator, "throw", None)
    if throw is None:
        return False
    signal = RaiseSignal(raised)
    try:
        throw(signal)
    except StopIteration:
        return True
    except RaiseSignal as again:
        if again is not signal:
            raise
    return False
