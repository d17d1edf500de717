"""List, set and dict comprehensions and generator expressions."""

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from accsearch.codeeval.interpreter import conditions, iteration, subscripts
from accsearch.codeeval.interpreter.scope import Scope
from accsearch.codeeval.library_objects import Compiled
from accsearch.codeeval.values import Repeated, Stream, Unknown, Value

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine

MAX_ROUNDS = 2000


class _Extent:
    """Whether all items of a comprehension became known, and the budget that it has to leave."""

    def __init__(self, machine: "Machine") -> None:
        self.known = True
        self.allowance = machine.budget * 3 // 4


def collected(machine: "Machine", node: ast.ListComp | ast.SetComp, scope: Scope) -> Value:
    """Return the list or set; its items are unknown if it runs over something unknown."""
    extent = _Extent(machine)
    inner = Scope("comprehension", scope)
    items = tuple(_rounds(machine, node.generators, inner, extent, lambda: machine.evaluate(node.elt, inner)))
    if not extent.known and len(items) == 1 and isinstance(node, ast.ListComp):
        return Repeated(items[0])
    made = machine.sequence(
        items if extent.known else (), "list" if isinstance(node, ast.ListComp) else "set"
    )
    if not extent.known:
        machine.heap.write(made, "open", True)
    return made


def dictionary(machine: "Machine", node: ast.DictComp, scope: Scope) -> Value:
    """Return the dict."""
    extent = _Extent(machine)
    inner = Scope("comprehension", scope)
    made = machine.dictionary({})

    def store() -> Value:
        key = machine.evaluate(node.key, inner)
        subscripts.set_item(machine, made, key, machine.evaluate(node.value, inner))
        return key

    for _ in _rounds(machine, node.generators, inner, extent, store):
        pass
    if not extent.known:
        machine.heap.write(made, "open", True)
    return made


def generator(machine: "Machine", node: ast.GeneratorExp, scope: Scope) -> Value:
    """Return the generator; only its first iterable is evaluated now."""
    inner = Scope("comprehension", scope)
    source = machine.evaluate(node.generators[0].iter, scope)
    extent = _Extent(machine)
    items = _rounds(
        machine, node.generators, inner, extent, lambda: machine.evaluate(node.elt, inner), source
    )
    # Behind a filter that is unknown it is unknown which item comes next.
    return Stream(item if extent.known or isinstance(item, Compiled) else Unknown() for item in items)


def _rounds(
    machine: "Machine",
    generators: list[ast.comprehension],
    scope: Scope,
    extent: _Extent,
    element: Callable[[], Value],
    source: Value | None = None,
) -> Iterator[Value]:
    """Yield the element of each round; one round with unknown names where the iterable is unknown."""
    if not generators:
        yield element()
        return
    first, *rest = generators
    if source is None:
        source = machine.evaluate(first.iter, scope)
    items = machine.iterate(source)
    if items is None:
        extent.known = False
        items = iter([iteration.another(iteration.element(source))])
    for count, item in enumerate(items):
        machine.tick()
        if count >= MAX_ROUNDS or machine.budget < extent.allowance:
            extent.known = False
            return
        machine.assign(first.target, item, scope)
        if _passes(machine, first.ifs, scope, extent):
            yield from _rounds(machine, rest, scope, extent, element)


def _passes(machine: "Machine", tests: list[ast.expr], scope: Scope, extent: _Extent) -> bool:
    """Tell whether a round passes the filters; one of which that is unknown is taken as passed."""
    for test in tests:
        verdict = conditions.condition(machine, test, scope)
        if isinstance(verdict, Unknown):
            extent.known = False
        elif not verdict:
            return False
    return True
