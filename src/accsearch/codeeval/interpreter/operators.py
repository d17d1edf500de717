"""Arithmetic, comparison and formatting of constants; what is too large or undefined is unknown."""

import ast
import operator
import re
import string
from collections.abc import Callable
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from accsearch.codeeval.interpreter import constants, lineage, modules
from accsearch.codeeval.interpreter.constants import NotConstant
from accsearch.codeeval.values import (
    Arguments,
    Constant,
    Dictionary,
    Instance,
    Sequence,
    Symbol,
    Tuple,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine

BINARY: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("add", operator.add),
    ast.Sub: ("sub", operator.sub),
    ast.Mult: ("mul", operator.mul),
    ast.Div: ("truediv", operator.truediv),
    ast.FloorDiv: ("floordiv", operator.floordiv),
    ast.Mod: ("mod", operator.mod),
    ast.Pow: ("pow", operator.pow),
    ast.LShift: ("lshift", operator.lshift),
    ast.RShift: ("rshift", operator.rshift),
    ast.BitOr: ("or", operator.or_),
    ast.BitAnd: ("and", operator.and_),
    ast.BitXor: ("xor", operator.xor),
}
UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}
COMPARE: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Eq: ("eq", operator.eq),
    ast.NotEq: ("ne", operator.ne),
    ast.Lt: ("lt", operator.lt),
    ast.LtE: ("le", operator.le),
    ast.Gt: ("gt", operator.gt),
    ast.GtE: ("ge", operator.ge),
}
FOLDING_ERRORS = (ArithmeticError, TypeError, ValueError, LookupError, AttributeError, MemoryError)
_WIDE = re.compile(r"\d{4,}|\*")


def binary(machine: "Machine", kind: type[ast.operator], left: Value, right: Value) -> Value:
    """Return `left OP right`."""
    machine.tick(constants.cost(left) + constants.cost(right))
    name, function = BINARY.get(kind, ("", None))
    if function is None:
        return Unknown()
    for receiver, other, method in ((left, right, f"__{name}__"), (right, left, f"__r{name}__")):
        if _defines(receiver, method):
            return machine.call(machine.get(receiver, method), Arguments([other]))
    if isinstance(left, Dictionary) and isinstance(right, Dictionary) and kind is ast.BitOr:
        return _union(machine, left, right)
    if isinstance(left, Tuple) and isinstance(right, Tuple) and kind is ast.Add:
        return Tuple(left.items + right.items) if len(left.items) + len(right.items) < 10_000 else Unknown()
    if isinstance(left, Sequence) and isinstance(right, Sequence) and kind is ast.Add:
        if left.state.get("open") or right.state.get("open") or len(left.items + right.items) > 10_000:
            return Unknown()
        return machine.sequence(left.items + right.items)
    if kind is ast.Mult and isinstance(left, Sequence | Tuple):
        return _repeated(machine, left, right)
    try:
        first, second = constants.to_python(left), constants.to_python(right)
        if not _is_bounded(kind, first, second):
            return Unknown()
        return constants.from_python(machine, function(first, second))
    except (*FOLDING_ERRORS, NotConstant):
        return Unknown()


def _defines(value: Value, method: str) -> bool:
    return isinstance(value, Instance) and lineage.find(value.cls, method) is not None


def _union(machine: "Machine", left: Dictionary, right: Dictionary) -> Value:
    entries = dict(left.entries)
    if right.open:
        entries = {key: (name, Unknown()) for key, (name, _) in entries.items()}
    union = machine.dictionary({**entries, **right.entries}, open=left.open or right.open)
    machine.heap.write(union, "origin", right.state.get("origin") or left.state.get("origin"))
    return union


def _repeated(machine: "Machine", left: Sequence | Tuple, right: Value) -> Value:
    count = right.value if isinstance(right, Constant) else None
    if not isinstance(count, int) or left.state.get("open") or len(left.items) * max(count, 0) > 10_000:
        return Unknown()
    items = left.items * count
    return Tuple(items) if isinstance(left, Tuple) else machine.sequence(items, left.kind)


def _is_bounded(kind: type[ast.operator], first: Any, second: Any) -> bool:
    """Tell whether the result is small enough to be computed at all."""
    if isinstance(first, int) and isinstance(second, int):
        if kind is ast.Pow:
            return second <= 0 or first.bit_length() * second <= constants.MAX_BITS
        if kind is ast.LShift:
            return 0 <= second <= constants.MAX_BITS
    if kind is ast.Mult:
        for text, count in ((first, second), (second, first)):
            if isinstance(text, str | bytes | list | tuple) and isinstance(count, int):
                return len(text) * max(count, 0) <= constants.MAX_TEXT
    if kind is ast.Mod and isinstance(first, str | bytes):
        return not _WIDE.search(first if isinstance(first, str) else first.decode("latin-1"))
    return True


def unary(machine: "Machine", kind: type[ast.unaryop], operand: Value) -> Value:
    """Return `OP operand` for the operators other than `not`."""
    try:
        return constants.from_python(machine, UNARY[kind](constants.to_python(operand)))
    except (*FOLDING_ERRORS, NotConstant):
        return Unknown()


def compare(machine: "Machine", kind: type[ast.cmpop], left: Value, right: Value) -> Value:
    """Return the truth of one comparison as a value."""
    machine.tick(constants.cost(left) + constants.cost(right))
    if kind in (ast.In, ast.NotIn):
        return _flip(_contains(machine, right, left), kind is ast.NotIn)
    if kind in (ast.Is, ast.IsNot):
        return _flip(_identical(machine, left, right), kind is ast.IsNot)
    name, function = COMPARE[kind]
    for receiver, other in ((left, right), (right, left)):
        if _defines(receiver, f"__{name}__"):
            return machine.call(machine.get(receiver, f"__{name}__"), Arguments([other]))
    try:
        return Constant(bool(function(constants.to_python(left), constants.to_python(right))))
    except FOLDING_ERRORS:
        return Unknown()
    except NotConstant:
        pass
    if kind in (ast.Eq, ast.NotEq):
        return _flip(_equal(left, right), kind is ast.NotEq)
    return _unknown_comparison(name, left, right)


def _equal(left: Value, right: Value) -> Value:
    if left is right and not isinstance(left, Unknown):
        return Constant(True)
    if isinstance(left, Symbol) and left == right:
        return Constant(True)
    if modules.is_opaque(left) or modules.is_opaque(right):
        return _unknown_comparison("eq", left, right)
    if isinstance(left, Sequence | Tuple | Dictionary) or isinstance(right, Sequence | Tuple | Dictionary):
        return Constant(False) if type(left) is not type(right) else Unknown()
    return Constant(left == right)


def _identical(machine: "Machine", left: Value, right: Value) -> Value:
    for value, other in ((left, right), (right, left)):
        if isinstance(other, Constant) and other.value is None:
            if isinstance(value, Constant):
                return Constant(value.value is None)
            if isinstance(value, Symbol) and modules.is_certain(machine, value):
                return Constant(False)
            return _unknown_comparison("is", left, right) if modules.is_opaque(value) else Constant(False)
    if isinstance(left, Constant) and isinstance(right, Constant):
        return Constant(type(left.value) is type(right.value) and left.value == right.value)
    if isinstance(left, Symbol) and left == right:
        return Constant(True)
    if modules.is_opaque(left) or modules.is_opaque(right):
        return _unknown_comparison("is", left, right)
    return Constant(left is right)


def _unknown_comparison(name: str, left: Value, right: Value) -> Unknown:
    """Return an unknown that the same comparison of the same unknown gives again."""
    origin = (
        left.origin
        if isinstance(left, Unknown)
        else ("symbol", left.name)
        if isinstance(left, Symbol)
        else None
    )
    if origin is not None and isinstance(right, Constant) and isinstance(right.value, str | int | None):
        return Unknown((name, origin, right.value))
    return Unknown()


def _contains(machine: "Machine", container: Value, item: Value) -> Value:
    if _defines(container, "__contains__"):
        return machine.call(machine.get(container, "__contains__"), Arguments([item]))
    if isinstance(container, Dictionary):
        try:
            known = constants.key_of(item) in container.entries
        except NotConstant:
            return Unknown()
        if known:
            return Constant(True)
        return Unknown() if container.open or has_open_key(container, item) else Constant(False)
    try:
        return Constant(constants.to_python(item) in constants.to_python(container))
    except (*FOLDING_ERRORS, NotConstant):
        pass
    if isinstance(container, Sequence | Tuple) and not container.state.get("open"):
        verdicts = [_equal(item, other) for other in container.items[:1000]]
        if any(isinstance(verdict, Constant) and verdict.value for verdict in verdicts):
            return Constant(True)
        if all(isinstance(verdict, Constant) for verdict in verdicts):
            return Constant(False)
    return Unknown()


def has_open_key(container: Dictionary, wanted: Value) -> bool:
    """Tell whether a key that is not found may be there all the same, under a name of code elsewhere."""
    keys = [wanted, *(key for key, _ in container.entries.values())]
    return any(isinstance(key, Symbol) and not modules.is_library(key) for key in keys)


def _flip(verdict: Value, flipped: bool) -> Value:
    if not flipped:
        return verdict
    if isinstance(verdict, Unknown):
        return Unknown(("not", verdict.origin))
    return Constant(not verdict.value) if isinstance(verdict, Constant) else Unknown()


def formatted(value: Value, conversion: int, specification: str | None) -> Value:
    """Return the text of one replacement field of an f-string."""
    try:
        content = constants.to_python(value)
        if specification and _WIDE.search(specification):
            return Unknown()
        if isinstance(content, int) and not isinstance(content, bool) and content.bit_length() > 1000:
            return Unknown()
        if conversion == ord("r"):
            content = repr(content)
        elif conversion == ord("s") or isinstance(content, PurePath):
            content = str(content)
        return Constant(format(content, specification or ""))
    except (*FOLDING_ERRORS, NotConstant):
        return Unknown()


def format_text(text: str, positional: list[Any], keywords: dict[str, Any]) -> str:
    """Return `text.format(…)`; raise NotConstant where it could grow without bound or reach into objects."""
    for _, name, specification, _ in string.Formatter().parse(text):
        if set(name or "") & set(".[") or "{" in (specification or "") or _WIDE.search(specification or ""):
            raise NotConstant
    return text.format(*positional, **keywords)
