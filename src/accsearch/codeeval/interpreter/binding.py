"""Binding the targets of assignments, loops and with statements."""

import ast
from typing import TYPE_CHECKING

from accsearch.codeeval.interpreter import subscripts
from accsearch.codeeval.values import Unknown, Value

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine
    from accsearch.codeeval.interpreter.scope import Scope


def assign(machine: "Machine", target: ast.expr, value: Value, scope: "Scope") -> None:
    """Bind `target` to `value`; what an unknown value is unpacked into is unknown."""
    if isinstance(target, ast.Name):
        machine.heap.write(scope.home(target.id), target.id, value)
    elif isinstance(target, ast.Attribute):
        machine.set(machine.evaluate(target.value, scope), target.attr, value)
    elif isinstance(target, ast.Subscript):
        container = machine.evaluate(target.value, scope)
        subscripts.set_item(machine, container, machine.evaluate(target.slice, scope), value)
    elif isinstance(target, ast.Starred):
        assign(machine, target.value, value, scope)
    elif isinstance(target, ast.Tuple | ast.List):
        _unpack(machine, target.elts, value, scope)


def _unpack(machine: "Machine", targets: list[ast.expr], value: Value, scope: "Scope") -> None:
    source = machine.iterate(value)
    items: list[Value] = []
    if source is not None:
        for item in source:
            machine.tick()
            items.append(item)
    star = next((index for index, target in enumerate(targets) if isinstance(target, ast.Starred)), None)
    fits = len(items) == len(targets) if star is None else len(items) >= len(targets) - 1
    if source is None or not fits:
        for target in targets:
            assign(machine, target, Unknown(), scope)
        return
    if star is not None:
        behind = len(targets) - star - 1
        middle = machine.sequence(tuple(items[star : len(items) - behind]))
        items = [*items[:star], middle, *items[len(items) - behind :]]
    for target, item in zip(targets, items, strict=True):
        assign(machine, target, item, scope)


def delete(machine: "Machine", target: ast.expr, scope: "Scope") -> None:
    """Do `del target`."""
    if isinstance(target, ast.Name):
        machine.heap.delete(scope.home(target.id), target.id)
    elif isinstance(target, ast.Attribute):
        machine.heap.delete(machine.evaluate(target.value, scope), target.attr)
    elif isinstance(target, ast.Subscript):
        container = machine.evaluate(target.value, scope)
        subscripts.delete_item(machine, container, machine.evaluate(target.slice, scope))
    elif isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            delete(machine, element, scope)
