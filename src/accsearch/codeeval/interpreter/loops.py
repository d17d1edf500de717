"""For and while loops: known values round by round, unknown ones by what all rounds have in common."""

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from accsearch.codeeval.interpreter import conditions
from accsearch.codeeval.interpreter.scope import Scope
from accsearch.codeeval.interpreter.signals import BreakSignal, ContinueSignal, CutSignal, EndlessSignal
from accsearch.codeeval.values import Constant, Sequence, Tuple, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Generator

    from accsearch.codeeval.interpreter.machine import Machine

MAX_ROUNDS = 2000
_UNKNOWN_ROUNDS = 3
_LEAVING = (ast.Break, ast.Return, ast.Raise)


def for_(machine: "Machine", node: ast.For | ast.AsyncFor, scope: Scope) -> Iterator[Value]:
    """Run a for loop."""
    source = machine.evaluate(node.iter, scope)
    items = machine.iterate(source)
    if items is None:
        left = yield from _rounds_over_unknown(machine, node, scope)
    else:
        left = yield from _known_rounds(machine, node, scope, source, items)
    if not left:
        yield from machine.execute(node.orelse, scope)


def _known_rounds(
    machine: "Machine", node: ast.For | ast.AsyncFor, scope: Scope, source: Value, items: Iterator[Value]
) -> "Generator[Value, None, bool]":
    allowance = machine.budget * 3 // 4
    for count, item in enumerate(items):
        machine.tick()
        if count >= MAX_ROUNDS or machine.budget < allowance:
            # Too many to follow: only the last round is, from what the rounds before it have in common.
            left = yield from _rounds_over_unknown(machine, node, scope)
            machine.assign(node.target, _last(source), scope)
            return left or (yield from _round(machine, node.body, scope))
        machine.assign(node.target, item, scope)
        if (yield from _round(machine, node.body, scope)):
            return True
    return False


def _rounds_over_unknown(
    machine: "Machine", node: ast.For | ast.AsyncFor, scope: Scope
) -> "Generator[Value, None, bool]":
    return _unknown_rounds(machine, node.body, scope, lambda: machine.assign(node.target, Unknown(), scope))


def _last(source: Value) -> Value:
    if isinstance(source, Constant) and isinstance(source.value, str | bytes | range):
        return Constant(source.value[-1])
    if isinstance(source, Tuple | Sequence) and source.items:
        return source.items[-1]
    return Unknown()


def _round(machine: "Machine", body: list[ast.stmt], scope: Scope) -> "Generator[Value, None, bool]":
    """Run the body once; return whether it left the loop."""
    try:
        yield from machine.execute(body, scope)
    except ContinueSignal:
        pass
    except BreakSignal:
        return True
    return False


def _unknown_rounds(
    machine: "Machine", body: list[ast.stmt], scope: Scope, prepare: Callable[[], object]
) -> "Generator[Value, None, bool]":
    """Run the body an unknown number of times, at least once; what changes between rounds is unknown."""
    heap = machine.heap
    trial = heap.begin()
    common = trial.originals
    left = False
    try:
        for count in range(_UNKNOWN_ROUNDS):
            prepare()
            left = yield from _round(machine, body, scope)
            after = heap.capture(trial)
            machine.tick(len(after))
            if count:
                heap.join(trial, common, after, (Constant(None), Constant(None)))
                common = heap.capture(trial)
            else:
                common = after
            if left:
                break
    finally:
        heap.end(trial)
    return left


def while_(machine: "Machine", node: ast.While, scope: Scope) -> Iterator[Value]:
    """Run a while loop."""
    endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
    allowance = machine.budget * 3 // 4
    decisions = machine.decisions
    count = 0
    while True:
        verdict = conditions.condition(machine, node.test, scope)
        if verdict is False:
            break
        hopeless = endless and not any(isinstance(part, _LEAVING) for part in ast.walk(node))
        if isinstance(verdict, Unknown) or hopeless or count >= MAX_ROUNDS or machine.budget < allowance:
            if (yield from _unknown_rounds(machine, node.body, scope, lambda: None)):
                return
            if endless:
                raise EndlessSignal
            break
        if count >= _UNKNOWN_ROUNDS and machine.decisions > decisions:
            raise CutSignal
        if (yield from _round(machine, node.body, scope)):
            return
        count += 1
    yield from machine.execute(node.orelse, scope)
