"""The value of each kind of expression."""

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from accsearch.codeeval.interpreter import (
    builtin_calls,
    comprehensions,
    conditions,
    functions,
    modules,
    operators,
    reflection,
    subscripts,
)
from accsearch.codeeval.interpreter.control_flow import RaiseSignal
from accsearch.codeeval.interpreter.scope import Scope
from accsearch.codeeval.values import (
    Constant,
    Coroutine,
    Function,
    Sequence,
    Symbol,
    Tuple,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine

_OF_SCOPE = ("builtins.super", "builtins.locals", "builtins.vars")


def evaluate(machine: "Machine", node: ast.expr, scope: Scope) -> Value:
    """Return the value of an expression; of a kind that is not followed, unknown."""
    handler = _HANDLERS.get(type(node))
    return handler(machine, node, scope) if handler is not None else Unknown()


def _constant(machine: "Machine", node: ast.Constant, scope: Scope) -> Value:
    return Constant(node.value)


def _name(machine: "Machine", node: ast.Name, scope: Scope) -> Value:
    return named(machine, node.id, scope)


def named(machine: "Machine", name: str, scope: Scope) -> Value:
    """Return what a name stands for."""
    found = scope.find(name) or modules.from_star(machine, scope, name)
    if found is not None:
        return found
    if name == "__name__":
        return Constant("__main__")
    if name == "__debug__":
        return Constant(True)
    if name in builtin_calls.NAMES:
        return modules.imported(machine, f"builtins.{name}")
    if name in machine.bound and machine.decisions and not scope.module.stars:
        # Another way through the program binds it; on this one Python raises.
        raise RaiseSignal(Symbol("builtins.NameError"))
    return Unknown(("name", name))


def _attribute(machine: "Machine", node: ast.Attribute, scope: Scope) -> Value:
    return machine.get(machine.evaluate(node.value, scope), node.attr)


def _subscript(machine: "Machine", node: ast.Subscript, scope: Scope) -> Value:
    container = machine.evaluate(node.value, scope)
    return subscripts.get_item(machine, container, machine.evaluate(node.slice, scope))


def _slice(machine: "Machine", node: ast.Slice, scope: Scope) -> Value:
    parts = [
        Constant(None) if part is None else machine.evaluate(part, scope)
        for part in (node.lower, node.upper, node.step)
    ]
    if all(isinstance(part, Constant) for part in parts):
        return Constant(slice(*(part.value for part in parts if isinstance(part, Constant))))
    return Unknown()


def _elements(machine: "Machine", nodes: list[ast.expr], scope: Scope) -> tuple[Value, ...] | None:
    """Return the elements of a display; None if an unknown one is unpacked among them."""
    items: list[Value] = []
    known = True
    for node in nodes:
        if not isinstance(node, ast.Starred):
            items.append(machine.evaluate(node, scope))
            continue
        unpacked = machine.iterate(machine.evaluate(node.value, scope))
        if unpacked is None:
            known = False
            continue
        for item in unpacked:
            machine.tick()
            items.append(item)
    return tuple(items) if known else None


def _tuple(machine: "Machine", node: ast.Tuple, scope: Scope) -> Value:
    items = _elements(machine, node.elts, scope)
    return Unknown() if items is None else Tuple(items)


def _list(machine: "Machine", node: ast.List | ast.Set, scope: Scope) -> Value:
    items = _elements(machine, node.elts, scope)
    made: Sequence = machine.sequence(items or (), "list" if isinstance(node, ast.List) else "set")
    if items is None:
        machine.heap.write(made, "open", True)
    return made


def _dict(machine: "Machine", node: ast.Dict, scope: Scope) -> Value:
    made = machine.dictionary({})
    for key, content in zip(node.keys, node.values, strict=True):
        if key is None:
            subscripts.update(machine, made, machine.evaluate(content, scope))
        else:
            name = machine.evaluate(key, scope)
            subscripts.set_item(machine, made, name, machine.evaluate(content, scope))
    return made


def _bool(machine: "Machine", node: ast.BoolOp, scope: Scope) -> Value:
    return _rest_of_bool(machine, node, 0, scope)


def _rest_of_bool(machine: "Machine", node: ast.BoolOp, index: int, scope: Scope) -> Value:
    value = machine.evaluate(node.values[index], scope)
    if index == len(node.values) - 1:
        return value
    decisive = isinstance(node.op, ast.Or)
    verdict = conditions.truth(machine, value)
    if isinstance(verdict, Unknown):
        site = node.values[index]
        return either(
            machine, site, verdict if decisive else conditions.negation(verdict), lambda: value,
            lambda: _rest_of_bool(machine, node, index + 1, scope),
        )  # fmt: skip
    return value if verdict is decisive else _rest_of_bool(machine, node, index + 1, scope)


def either(
    machine: "Machine",
    site: ast.AST,
    condition: bool | Unknown,
    first: Callable[[], Value],
    second: Callable[[], Value],
) -> Value:
    """Return the value of one of two expressions, by a condition that may be unknown."""
    if isinstance(condition, Unknown):
        if not machine.is_decided(condition):
            merged = machine.merge(site, first, second)
            if merged is not None:
                return merged
        condition = machine.decide(condition)
    return first() if condition else second()


def _conditional(machine: "Machine", node: ast.IfExp, scope: Scope) -> Value:
    return either(
        machine,
        node,
        conditions.condition(machine, node.test, scope),
        lambda: machine.evaluate(node.body, scope),
        lambda: machine.evaluate(node.orelse, scope),
    )


def _unary(machine: "Machine", node: ast.UnaryOp, scope: Scope) -> Value:
    if isinstance(node.op, ast.Not):
        verdict = conditions.condition(machine, node, scope)
        return verdict if isinstance(verdict, Unknown) else Constant(verdict)
    return operators.unary(machine, type(node.op), machine.evaluate(node.operand, scope))


def _binary(machine: "Machine", node: ast.BinOp, scope: Scope) -> Value:
    left = machine.evaluate(node.left, scope)
    return operators.binary(machine, type(node.op), left, machine.evaluate(node.right, scope))


def _compare(machine: "Machine", node: ast.Compare, scope: Scope) -> Value:
    left = machine.evaluate(node.left, scope)
    result: Value = Constant(True)
    for kind, right_node in zip(node.ops, node.comparators, strict=True):
        right = machine.evaluate(right_node, scope)
        verdict = operators.compare(machine, type(kind), left, right)
        known = conditions.truth(machine, verdict)
        if known is False:
            return verdict
        if not (isinstance(result, Unknown) and known is True):
            result = verdict
        left = right
    return result


def _text(machine: "Machine", node: ast.JoinedStr, scope: Scope) -> Value:
    texts: list[str] = []
    known = True
    for part in node.values:
        piece = machine.evaluate(part, scope)
        if isinstance(piece, Constant) and isinstance(piece.value, str):
            texts.append(piece.value)
        else:
            known = False
    text = "".join(texts)
    return Constant(text) if known and len(text) <= 1 << 16 else Unknown()


def _field(machine: "Machine", node: ast.FormattedValue, scope: Scope) -> Value:
    value = machine.evaluate(node.value, scope)
    specification = None if node.format_spec is None else machine.evaluate(node.format_spec, scope)
    if isinstance(specification, Constant):
        return operators.formatted(value, node.conversion, str(specification.value))
    return operators.formatted(value, node.conversion, None) if specification is None else Unknown()


def _walrus(machine: "Machine", node: ast.NamedExpr, scope: Scope) -> Value:
    value = machine.evaluate(node.value, scope)
    machine.heap.write(scope.home(node.target.id, walrus=True), node.target.id, value)
    return value


def _lambda(machine: "Machine", node: ast.Lambda, scope: Scope) -> Function:
    return functions.define(machine, node, scope)


def _call(machine: "Machine", node: ast.Call, scope: Scope) -> Value:
    function = machine.evaluate(node.func, scope)
    if isinstance(function, Symbol) and function.name in _OF_SCOPE and not node.args:
        return reflection.of_scope(machine, function.leaf, scope)
    return machine.call(function, functions.arguments(machine, node, scope))


def _await(machine: "Machine", node: ast.Await, scope: Scope) -> Value:
    return awaited(machine, machine.evaluate(node.value, scope))


def awaited(machine: "Machine", value: Value) -> Value:
    """Return the result of a coroutine, running it if it has not run."""
    if not isinstance(value, Coroutine):
        return Unknown() if not isinstance(value, Constant | Tuple | Sequence) else value
    if "result" not in value.state:
        machine.heap.write(value, "result", value.run())
    result: Value = value.state["result"]
    return result


_HANDLERS: dict[type[ast.expr], Callable[..., Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.Tuple: _tuple,
    ast.List: _list,
    ast.Set: _list,
    ast.Dict: _dict,
    ast.BoolOp: _bool,
    ast.IfExp: _conditional,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.Compare: _compare,
    ast.JoinedStr: _text,
    ast.FormattedValue: _field,
    ast.NamedExpr: _walrus,
    ast.Lambda: _lambda,
    ast.Call: _call,
    ast.Await: _await,
    ast.ListComp: comprehensions.collected,
    ast.SetComp: comprehensions.collected,
    ast.DictComp: comprehensions.dictionary,
    ast.GeneratorExp: comprehensions.generator,
}
