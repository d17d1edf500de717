"""Functions of the program: definition, arguments, and running them."""

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accsearch.codeeval.interpreter.control_flow import CutSignal, RaiseSignal, ReturnSignal
from accsearch.codeeval.interpreter.scope import Scope
from accsearch.codeeval.values import (
    Arguments,
    Constant,
    Coroutine,
    Dictionary,
    Function,
    Stream,
    Symbol,
    Tuple,
    Unknown,
    UserClass,
    Value,
    Wrapper,
)

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine

MAX_CALL_DEPTH = 950
"""Python's own limit, less what a program's module and imports use of it."""

_UNKNOWN_ROUNDS = 4
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True)
class Activation:
    """A running call: the budget that a recursion from it may leave, and the decisions made before it."""

    allowance: int
    decisions: int


def define(
    machine: "Machine", node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope
) -> Function:
    """Make a function; its defaults are evaluated now."""
    outer = scope
    while outer.kind == "class" and outer.parent is not None:
        outer = outer.parent
    defaults = tuple(machine.evaluate(default, scope) for default in node.args.defaults)
    keyword_defaults = {
        parameter.arg: machine.evaluate(default, scope)
        for parameter, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        if default is not None
    }
    return Function(node, outer, defaults, keyword_defaults, generates=_generates(node))


def _generates(node: ast.AST) -> bool:
    """Tell whether the function's own body contains a yield."""
    waiting = list(ast.iter_child_nodes(node))
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(part, (*_FUNCTIONS, ast.ClassDef)):
            waiting.extend(ast.iter_child_nodes(part))
    return False


def arguments(machine: "Machine", node: ast.Call, scope: Scope) -> Arguments:
    """Evaluate the arguments of a call."""
    made = Arguments()
    for argument in node.args:
        if not isinstance(argument, ast.Starred):
            made.positional.append(machine.evaluate(argument, scope))
            continue
        unpacked = machine.iterate(machine.evaluate(argument.value, scope))
        if unpacked is None:
            made.open_positional = True
            continue
        for item in unpacked:
            machine.tick()
            made.positional.append(item)
    if made.open_positional:
        # Nothing behind an unknown star has a known place.
        made.positional = []
    for keyword in node.keywords:
        value = machine.evaluate(keyword.value, scope)
        if keyword.arg is not None:
            made.keywords[keyword.arg] = value
        else:
            spread(made, value)
    return made


def spread(made: Arguments, value: Value) -> None:
    """Add `**value` to the arguments."""
    if not isinstance(value, Dictionary):
        made.open_keywords = True
        return
    made.open_keywords = made.open_keywords or value.open
    made.origin = value.state.get("origin") or made.origin
    made.keywords.update(
        {key: content for key, (_, content) in value.entries.items() if isinstance(key, str)}
    )


def invoke(machine: "Machine", function: Function, given: Arguments) -> Value:
    """Call a function of the program."""
    node = function.node
    if node in machine.runaway:
        return Unknown()
    if machine.depth >= MAX_CALL_DEPTH:
        raise RaiseSignal(Symbol("builtins.RecursionError"))
    if node in machine.active:
        _check_recursion(machine, node)
        if node in machine.runaway:
            return Unknown()
    scope = Scope("function", function.scope)
    scope.generates = function.generates
    scope.owner = function.owner
    bind(machine, function, given, scope)
    if function.generates:
        return Stream(machine.execute(_body(node), scope))
    if isinstance(node, ast.AsyncFunctionDef):
        return Coroutine(lambda: run(machine, function, scope))
    return run(machine, function, scope)


def _check_recursion(machine: "Machine", node: ast.AST) -> None:
    """Stop a recursion that takes too long, or that only repeats an unknown choice."""
    first = machine.active.index(node)
    activation = machine.activations[first]
    if machine.budget < activation.allowance:
        # Every function of the cycle is left at once, or a recursion that branches would take for ever.
        machine.runaway.update(machine.active[first:])
    elif machine.active.count(node) >= _UNKNOWN_ROUNDS and machine.decisions > activation.decisions:
        raise CutSignal


def _body(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> list[ast.stmt]:
    return [ast.Expr(node.body)] if isinstance(node, ast.Lambda) else node.body


def run(machine: "Machine", function: Function, scope: Scope) -> Value:
    """Run the body of a function whose arguments are bound."""
    node = function.node
    machine.depth += 1
    machine.active.append(node)
    machine.activations.append(Activation(machine.budget * 3 // 4, machine.decisions))
    try:
        if isinstance(node, ast.Lambda):
            return machine.evaluate(node.body, scope)
        if machine.active.count(node) == 1 and _returns_early(node):
            settled = machine.settle(node, lambda: _returned(machine, node, scope))
            if settled is not None:
                return settled
        return _returned(machine, node, scope)
    finally:
        machine.depth -= 1
        machine.active.pop()
        machine.activations.pop()
        if node not in machine.active:
            machine.runaway.discard(node)


def _returned(machine: "Machine", node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> Value:
    try:
        machine.run(node.body, scope)
    except ReturnSignal as signal:
        return signal.value
    return Constant(None)


def _returns_early(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether a return stands inside another statement, so that a condition may decide on it."""
    return any(leaves(part, (ast.Return,)) for part in node.body if not isinstance(part, ast.Return))


def leaves(node: ast.AST, kinds: tuple[type[ast.stmt], ...]) -> bool:
    """Tell whether one of these statements stands in the node, outside of functions and classes in it."""
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, kinds):
            return True
        if not isinstance(part, (*_FUNCTIONS, ast.ClassDef)):
            waiting.extend(child for child in ast.iter_child_nodes(part) if not isinstance(child, ast.expr))
    return False


def bind(machine: "Machine", function: Function, given: Arguments, scope: Scope) -> None:
    """Bind the parameters; one that is missing or may come from an unknown unpacking is unknown."""
    signature = function.node.args
    parameters = [parameter.arg for parameter in (*signature.posonlyargs, *signature.args)]
    keywords = dict(given.keywords)
    defaults: dict[str, Value] = dict(
        zip(parameters[len(parameters) - len(function.defaults) :], function.defaults, strict=True)
    )
    write = machine.heap.write
    if given.positional:
        scope.receiver = given.positional[0]
    for index, name in enumerate(parameters):
        if index < len(given.positional):
            write(scope, name, given.positional[index])
        elif name in keywords:
            write(scope, name, keywords.pop(name))
        elif given.open_positional or given.open_keywords:
            write(scope, name, Unknown())
        else:
            write(scope, name, defaults.get(name) or Unknown())
    for parameter in signature.kwonlyargs:
        fallback = Unknown() if given.open_keywords else function.keyword_defaults.get(parameter.arg)
        write(scope, parameter.arg, keywords.pop(parameter.arg, None) or fallback or Unknown())
    if signature.vararg is not None:
        rest = Tuple(tuple(given.positional[len(parameters) :]))
        write(scope, signature.vararg.arg, Unknown() if given.open_positional else rest)
    if signature.kwarg is not None:
        collected = machine.names(keywords)
        machine.heap.write(collected, "open", given.open_keywords)
        machine.heap.write(collected, "origin", given.origin)
        write(scope, signature.kwarg.arg, collected)


def owned(value: Value, owner: UserClass) -> None:
    """Tell the functions in a class body which class they are in, for `super()`."""
    if isinstance(value, Function) and value.owner is None:
        value.owner = owner
    elif isinstance(value, Wrapper):
        owned(value.function, owner)
        if value.setter is not None:
            owned(value.setter, owner)
