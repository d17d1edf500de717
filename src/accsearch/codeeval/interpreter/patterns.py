"""Match statements."""

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from accsearch.codeeval.interpreter import conditions, introspection, modules, operators, subscripts
from accsearch.codeeval.interpreter.scope import Scope
from accsearch.codeeval.values import Constant, Dictionary, Instance, Sequence, Symbol, Tuple, Unknown, Value

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine


def match_(machine: "Machine", node: ast.Match, scope: Scope) -> Iterator[Value]:
    """Run a match statement; whether an unknown pattern matches is chosen."""
    subject = machine.evaluate(node.subject, scope)
    for case in node.cases:
        verdict = _matches(machine, case.pattern, subject, scope)
        if verdict is False:
            continue
        if case.guard is not None and (guard := conditions.condition(machine, case.guard, scope)) is not True:
            verdict = guard
        if isinstance(verdict, Unknown):
            verdict = machine.decide(verdict)
        if verdict:
            yield from machine.execute(case.body, scope)
            return


def _matches(machine: "Machine", pattern: ast.pattern, subject: Value, scope: Scope) -> bool | Unknown:
    if isinstance(pattern, ast.MatchValue):
        wanted = machine.evaluate(pattern.value, scope)
        return conditions.truth(machine, operators.compare(machine, ast.Eq, subject, wanted))
    if isinstance(pattern, ast.MatchSingleton):
        return conditions.truth(machine, operators.compare(machine, ast.Is, subject, Constant(pattern.value)))
    if isinstance(pattern, ast.MatchAs):
        verdict: bool | Unknown = True
        if pattern.pattern is not None:
            verdict = _matches(machine, pattern.pattern, subject, scope)
        if verdict is not False and pattern.name is not None:
            machine.heap.write(scope.home(pattern.name), pattern.name, subject)
        return verdict
    if isinstance(pattern, ast.MatchOr):
        verdicts = [_matches(machine, option, subject, scope) for option in pattern.patterns]
        return True if True in verdicts else next((v for v in verdicts if isinstance(v, Unknown)), False)
    if isinstance(pattern, ast.MatchSequence):
        return _matches_sequence(machine, pattern, subject, scope)
    if isinstance(pattern, ast.MatchMapping):
        return _matches_mapping(machine, pattern, subject, scope)
    if isinstance(pattern, ast.MatchClass):
        return _matches_class(machine, pattern, subject, scope)
    return Unknown()


def _all(verdicts: list[bool | Unknown]) -> bool | Unknown:
    if False in verdicts:
        return False
    return next((verdict for verdict in verdicts if isinstance(verdict, Unknown)), True)


def _matches_sequence(
    machine: "Machine", pattern: ast.MatchSequence, subject: Value, scope: Scope
) -> bool | Unknown:
    if isinstance(subject, Constant | Dictionary):
        return False
    if not isinstance(subject, Tuple | Sequence) or subject.state.get("open"):
        _bind_unknown(machine, pattern, scope)
        return Unknown()
    items = list(subject.items)
    star = next((i for i, part in enumerate(pattern.patterns) if isinstance(part, ast.MatchStar)), None)
    if star is None:
        if len(items) != len(pattern.patterns):
            return False
    else:
        behind = len(pattern.patterns) - star - 1
        if len(items) < star + behind:
            return False
        middle = machine.sequence(tuple(items[star : len(items) - behind]))
        items = [*items[:star], middle, *items[len(items) - behind :]]
        name = getattr(pattern.patterns[star], "name", None)
        if name is not None:
            machine.heap.write(scope.home(name), name, middle)
    return _all(
        [
            _matches(machine, part, item, scope)
            for part, item in zip(pattern.patterns, items, strict=True)
            if not isinstance(part, ast.MatchStar)
        ]
    )


def _matches_mapping(
    machine: "Machine", pattern: ast.MatchMapping, subject: Value, scope: Scope
) -> bool | Unknown:
    if not isinstance(subject, Dictionary):
        _bind_unknown(machine, pattern, scope)
        return Unknown() if modules.is_opaque(subject) else False
    verdicts: list[bool | Unknown] = []
    for key, part in zip(pattern.keys, pattern.patterns, strict=True):
        found = subscripts.lookup(subject, machine.evaluate(key, scope))
        verdicts.append(False if found is None else _matches(machine, part, found, scope))
    if pattern.rest is not None:
        machine.heap.write(scope.home(pattern.rest), pattern.rest, Unknown())
    return _all(verdicts)


def _matches_class(
    machine: "Machine", pattern: ast.MatchClass, subject: Value, scope: Scope
) -> bool | Unknown:
    cls = machine.evaluate(pattern.cls, scope)
    verdict = introspection.is_instance(subject, cls)
    if verdict is False:
        return False
    if isinstance(cls, Symbol) and cls.root == "builtins" and len(pattern.patterns) == 1:
        return _all([verdict, _matches(machine, pattern.patterns[0], subject, scope)])
    verdicts: list[bool | Unknown] = [verdict]
    names = getattr(cls, "fields", None) or ()
    known = isinstance(subject, Instance)
    attributes = (*names[: len(pattern.patterns)], *pattern.kwd_attrs)
    for name, part in zip(attributes, (*pattern.patterns, *pattern.kwd_patterns), strict=False):
        content = machine.get(subject, name) if known else Unknown()
        verdicts.append(_matches(machine, part, content, scope))
    return _all(verdicts)


def _bind_unknown(machine: "Machine", pattern: ast.pattern, scope: Scope) -> None:
    for part in ast.walk(pattern):
        name = getattr(part, "name", None) or getattr(part, "rest", None)
        if isinstance(part, ast.MatchAs | ast.MatchStar | ast.MatchMapping) and name:
            machine.heap.write(scope.home(name), name, Unknown())
