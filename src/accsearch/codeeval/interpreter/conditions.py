"""The truth of values and of conditions, as far as it is known."""

import ast
from typing import TYPE_CHECKING

from accsearch.codeeval.interpreter import constants, lineage, modules
from accsearch.codeeval.values import (
    Arguments,
    Constant,
    Dictionary,
    Instance,
    Namespace,
    Native,
    Sequence,
    Symbol,
    Tuple,
    Unknown,
    UserClass,
    Value,
)

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine
    from accsearch.codeeval.interpreter.scope import Scope


def truth(machine: "Machine", value: Value) -> bool | Unknown:
    """Return whether `value` is true, or the unknown that it hangs on."""
    if isinstance(value, Constant):
        return bool(value.value)
    if isinstance(value, Unknown):
        return value
    if isinstance(value, Tuple):
        return bool(value.items)
    if isinstance(value, Sequence):
        return Unknown() if value.state.get("open") else bool(value.items)
    if isinstance(value, Dictionary):
        return True if value.entries else Unknown() if value.open else False
    if isinstance(value, Symbol):
        return True if modules.is_certain(machine, value) else Unknown(("symbol", value.name))
    if isinstance(value, Native | Namespace):
        return Unknown()
    if isinstance(value, Instance) and isinstance(value.cls, UserClass):
        return _truth_of_instance(machine, value)
    return True


def _truth_of_instance(machine: "Machine", value: Instance) -> bool | Unknown:
    plain = constants.enum_value(value)
    if plain is not None:
        return truth(machine, plain)
    for name in ("__bool__", "__len__"):
        function = lineage.find(value.cls, name)
        if function is not None and not isinstance(function, Symbol):
            verdict = machine.call(machine.get(value, name), Arguments())
            return Unknown() if isinstance(verdict, Instance) else truth(machine, verdict)
    return True


def condition(machine: "Machine", node: ast.expr, scope: "Scope") -> bool | Unknown:
    """Return the truth of an expression used as a condition, without choosing where it is unknown."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return negation(condition(machine, node.operand, scope))
    if isinstance(node, ast.BoolOp) and not any(_acts(operand) for operand in node.values[1:]):
        decisive = isinstance(node.op, ast.Or)
        unknowns: list[Unknown] = []
        for operand in node.values:
            verdict = condition(machine, operand, scope)
            if isinstance(verdict, Unknown):
                unknowns.append(verdict)
            elif verdict is decisive:
                return decisive
        if not unknowns:
            return not decisive
        origins = tuple(unknown.origin for unknown in unknowns)
        return unknowns[0] if len(unknowns) == 1 else Unknown(("or" if decisive else "and", *origins))
    return truth(machine, machine.evaluate(node, scope))


def negation(verdict: bool | Unknown) -> bool | Unknown:
    """Return the opposite, known or not."""
    if isinstance(verdict, Unknown):
        origin = verdict.origin
        return Unknown(origin[1] if isinstance(origin, tuple) and origin[0] == "not" else ("not", origin))
    return not verdict


def _acts(node: ast.expr) -> bool:
    """Tell whether evaluating the expression could change anything."""
    return any(isinstance(part, ast.Call | ast.NamedExpr | ast.Await | ast.Yield) for part in ast.walk(node))
