"""Running statements; a generator, because any of them may contain a yield."""

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from accsearch.codeeval.interpreter import (
    binding,
    calls,
    classes,
    conditions,
    contexts,
    exceptions,
    functions,
    imports,
    loops,
    operators,
    patterns,
    subscripts,
)
from accsearch.codeeval.interpreter.control_flow import BreakSignal, ContinueSignal, ReturnSignal
from accsearch.codeeval.interpreter.scope import Scope
from accsearch.codeeval.values import Constant, Dictionary, Sequence, Unknown, Value

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine


def execute(machine: "Machine", body: list[ast.stmt], scope: Scope) -> Iterator[Value]:
    """Run statements in order, giving out what they yield; kinds that bind and do nothing are passed over."""
    for node in body:
        machine.tick()
        compound = _COMPOUND.get(type(node))
        if compound is not None:
            yield from compound(machine, node, scope)
            continue
        simple = _SIMPLE.get(type(node))
        if simple is None:
            continue
        holder = getattr(node, "value", None) if scope.generates else None
        if isinstance(holder, ast.Yield | ast.YieldFrom):
            yield from _yield(machine, holder, scope)
            _after_yield(machine, node, scope)
        else:
            simple(machine, node, scope)


def _yield(machine: "Machine", node: ast.Yield | ast.YieldFrom, scope: Scope) -> Iterator[Value]:
    if isinstance(node, ast.Yield):
        yield Constant(None) if node.value is None else machine.evaluate(node.value, scope)
        return
    items = machine.iterate(machine.evaluate(node.value, scope))
    yield from iter([Unknown()]) if items is None else items


def _after_yield(machine: "Machine", node: ast.stmt, scope: Scope) -> None:
    """Bind what `x = yield` receives, which is whatever the consumer sends."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            machine.assign(target, Unknown(), scope)
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        machine.assign(node.target, Unknown(), scope)
    elif isinstance(node, ast.Return):
        raise ReturnSignal(Unknown())


def _expression(machine: "Machine", node: ast.Expr, scope: Scope) -> None:
    machine.evaluate(node.value, scope)


def _assign(machine: "Machine", node: ast.Assign, scope: Scope) -> None:
    value = machine.evaluate(node.value, scope)
    for target in node.targets:
        machine.assign(target, value, scope)


def _annotated(machine: "Machine", node: ast.AnnAssign, scope: Scope) -> None:
    if node.value is not None:
        machine.assign(node.target, machine.evaluate(node.value, scope), scope)


def _augmented(machine: "Machine", node: ast.AugAssign, scope: Scope) -> None:
    reader = ast.copy_location(_loaded(node.target), node.target)
    old = machine.evaluate(reader, scope)
    new = machine.evaluate(node.value, scope)
    if isinstance(old, Sequence) and isinstance(node.op, ast.Add) and old.kind == "list":
        # A list is extended in place, which its other names see too.
        items = machine.iterate(new)
        machine.heap.write(old, "open", bool(old.state.get("open")) or items is None)
        machine.heap.write(old, "items", old.items + tuple(items or ()))
    elif isinstance(old, Dictionary) and isinstance(node.op, ast.BitOr):
        subscripts.update(machine, old, new)
    else:
        machine.assign(node.target, operators.binary(machine, type(node.op), old, new), scope)


def _loaded(target: ast.expr) -> ast.expr:
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Load())
    if isinstance(target, ast.Attribute):
        return ast.Attribute(target.value, target.attr, ast.Load())
    return (
        ast.Subscript(target.value, target.slice, ast.Load()) if isinstance(target, ast.Subscript) else target
    )


def _delete(machine: "Machine", node: ast.Delete, scope: Scope) -> None:
    for target in node.targets:
        binding.delete(machine, target, scope)


def _return(machine: "Machine", node: ast.Return, scope: Scope) -> None:
    raise ReturnSignal(Constant(None) if node.value is None else machine.evaluate(node.value, scope))


def _break(machine: "Machine", node: ast.Break, scope: Scope) -> None:
    raise BreakSignal


def _continue(machine: "Machine", node: ast.Continue, scope: Scope) -> None:
    raise ContinueSignal


def _function(machine: "Machine", node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> None:
    decorators = [machine.evaluate(decorator, scope) for decorator in node.decorator_list]
    value: Value = functions.define(machine, node, scope)
    for decorator in reversed(decorators):
        value = calls.decorate(machine, decorator, value)
    machine.heap.write(scope.home(node.name), node.name, value)


def _class(machine: "Machine", node: ast.ClassDef, scope: Scope) -> None:
    decorators = [machine.evaluate(decorator, scope) for decorator in node.decorator_list]
    value: Value = classes.define(machine, node, scope)
    for decorator in reversed(decorators):
        value = calls.decorate(machine, decorator, value)
    machine.heap.write(scope.home(node.name), node.name, value)


def _global(machine: "Machine", node: ast.Global, scope: Scope) -> None:
    scope.global_names.update(node.names)


def _nonlocal(machine: "Machine", node: ast.Nonlocal, scope: Scope) -> None:
    scope.nonlocal_names.update(node.names)


def _if(machine: "Machine", node: ast.If, scope: Scope) -> Iterator[Value]:
    verdict = conditions.condition(machine, node.test, scope)
    if isinstance(verdict, Unknown):
        if not scope.generates and not machine.is_decided(verdict):

            def branch(body: list[ast.stmt]) -> Callable[[], Value]:
                def follow() -> Value:
                    machine.run(body, scope)
                    return Constant(None)

                return follow

            if machine.merge(node, branch(node.body), branch(node.orelse)) is not None:
                return
        verdict = machine.decide(verdict)
    yield from execute(machine, node.body if verdict else node.orelse, scope)


_SIMPLE: dict[type[ast.stmt], Callable[..., None]] = {
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.Delete: _delete,
    ast.Return: _return,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
    ast.Global: _global,
    ast.Nonlocal: _nonlocal,
    ast.Import: imports.import_,
    ast.ImportFrom: imports.import_from,
    ast.Raise: exceptions.raise_,
    ast.Assert: exceptions.assert_,
}
_COMPOUND: dict[type[ast.stmt], Callable[..., Iterator[Value]]] = {
    ast.If: _if,
    ast.For: loops.for_,
    ast.AsyncFor: loops.for_,
    ast.While: loops.while_,
    ast.With: contexts.with_,
    ast.AsyncWith: contexts.with_,
    ast.Try: exceptions.try_,
    ast.TryStar: exceptions.try_,
    ast.Match: patterns.match_,
}
