"""For and while loops: known values round by round, unknown ones by what all rounds have in common."""

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from accsearch.codeeval.interpreter import conditions, functions, iteration
from accsearch.codeeval.interpreter.control_flow import (
    BreakSignal,
    ContinueSignal,
    CutSignal,
    EndlessSignal,
    ReturnSignal,
)
from accsearch.codeeval.interpreter.scope import Scope
from accsearch.codeeval.values import Constant, Sequence, Tuple, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Generator

    from accsearch.codeeval.interpreter.path import Machine

_Loop = ast.For | ast.AsyncFor | ast.While
MAX_ROUNDS = 2000
_UNKNOWN_ROUNDS = 3
MAX_LOOP_DECISIONS = 5
"""Unknown conditions in the rounds of a loop from which on its rounds are no longer followed one by one."""

_LEAVING = (ast.Break, ast.Return, ast.Raise)
_EARLY = (ast.Break, ast.Return, ast.Continue)
_END, _BREAK, _RETURN = Constant("end"), Constant("break"), Constant("return")


def for_(machine: "Machine", node: ast.For | ast.AsyncFor, scope: Scope) -> Iterator[Value]:
    """Run a for loop."""
    source = machine.evaluate(node.iter, scope)
    items = machine.iterate(source)
    if items is None:
        left = yield from _rounds_over_unknown(machine, node, scope, iteration.element(source))
    else:
        left = yield from _known_rounds(machine, node, scope, source, items)
    if not left:
        yield from machine.execute(node.orelse, scope)


def _known_rounds(
    machine: "Machine", node: ast.For | ast.AsyncFor, scope: Scope, source: Value, items: Iterator[Value]
) -> "Generator[Value, None, bool]":
    allowance = machine.budget * 3 // 4
    decisions = machine.decisions
    # The paths through a generator cannot be joined, since what it yields is run in between.
    most = 1 if scope.generates else MAX_LOOP_DECISIONS
    for count, item in enumerate(items):
        machine.tick()
        split = machine.decisions - decisions > most
        if count >= MAX_ROUNDS or machine.budget < allowance or split:
            # Too many to follow: only the last round is, from what the rounds before it have in common.
            left = yield from _rounds_over_unknown(machine, node, scope, Unknown())
            machine.assign(node.target, _last(source), scope)
            return left or (yield from _round(machine, node, scope))
        machine.assign(node.target, item, scope)
        if (yield from _round(machine, node, scope)):
            return True
    return False


def _rounds_over_unknown(
    machine: "Machine", node: ast.For | ast.AsyncFor, scope: Scope, item: Value
) -> "Generator[Value, None, bool]":
    # Each round has an item of its own, of which nothing but its kind is known.
    return _unknown_rounds(
        machine, node, scope, lambda: machine.assign(node.target, iteration.another(item), scope)
    )


def _last(source: Value) -> Value:
    if isinstance(source, Constant) and isinstance(source.value, str | bytes | range):
        return Constant(source.value[-1])
    if isinstance(source, Tuple | Sequence) and source.items:
        return source.items[-1]
    return Unknown()


def _round(machine: "Machine", node: _Loop, scope: Scope) -> "Generator[Value, None, bool]":
    """Run the body once; return whether it left the loop."""
    if not scope.generates and any(functions.leaves(part, _EARLY) for part in node.body):
        ending = machine.settle(node, lambda: _ending(machine, node, scope), exact=True)
        if isinstance(ending, Tuple):
            raise ReturnSignal(ending.items[1])
        if ending is not None:
            return ending is _BREAK
    try:
        yield from machine.execute(node.body, scope)
    except ContinueSignal:
        pass
    except BreakSignal:
        return True
    return False


def _ending(machine: "Machine", node: _Loop, scope: Scope) -> Value:
    """Run the body once; return how it ended."""
    try:
        machine.run(node.body, scope)
    except ContinueSignal:
        pass
    except BreakSignal:
        return _BREAK
    except ReturnSignal as signal:
        return Tuple((_RETURN, signal.value))
    return _END


def _unknown_rounds(
    machine: "Machine", node: _Loop, scope: Scope, prepare: Callable[[], object]
) -> "Generator[Value, None, bool]":
    """Run the body an unknown number of times, at least once; what changes between rounds is unknown."""
    heap = machine.heap
    trial = heap.begin()
    common = trial.originals
    left = False
    try:
        for count in range(_UNKNOWN_ROUNDS):
            prepare()
            left = yield from _round(machine, node, scope)
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


def _is_flag(origin: object) -> bool:
    """Tell whether a condition hangs on a name of code elsewhere, which may be a flag that is off."""
    return isinstance(origin, tuple) and (origin[0] == "symbol" or any(map(_is_flag, origin)))


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
        flag = not count and isinstance(verdict, Unknown) and _is_flag(verdict.origin)
        # Other unknown loops are taken to run at least once.
        if flag and isinstance(verdict, Unknown) and not machine.decide(verdict):
            break
        hopeless = endless and not any(isinstance(part, _LEAVING) for part in ast.walk(node))
        if isinstance(verdict, Unknown) or hopeless or count >= MAX_ROUNDS or machine.budget < allowance:
            if (yield from _unknown_rounds(machine, node, scope, lambda: None)):
                return
            if endless:
                raise EndlessSignal
            break
        if count >= _UNKNOWN_ROUNDS and machine.decisions > decisions:
            raise CutSignal
        if (yield from _round(machine, node, scope)):
            return
        count += 1
    yield from machine.execute(node.orelse, scope)
