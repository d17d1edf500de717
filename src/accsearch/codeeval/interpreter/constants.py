"""Between the interpreter's values and Python's, and the limits within which constants are computed."""

import math
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from accsearch.codeeval.values import (
    Constant,
    Dictionary,
    Instance,
    Sequence,
    Tuple,
    Unknown,
    UserClass,
    Value,
)

if TYPE_CHECKING:
    from accsearch.codeeval.interpreter.path import Machine

MAX_TEXT = 1 << 16
MAX_BITS = 1 << 12
MAX_ITEMS = 10_000
MAX_NESTING = 4
_ATOMS = (bool, int, float, complex, str, bytes, type(None), type(...), range, slice, PurePath)


class NotConstant(Exception):
    """The value is unknown, is no plain data, or is too large to be worth computing."""


def is_small(value: object) -> bool:
    """Tell whether a Python value stays within the limits."""
    if isinstance(value, int):
        return value.bit_length() <= MAX_BITS
    if isinstance(value, str | bytes):
        return len(value) <= MAX_TEXT
    return True


def cost(value: Value) -> int:
    """Return how many steps of the analysis it takes, roughly, to read a value."""
    if isinstance(value, Tuple | Sequence):
        return len(value.items) // 20
    if isinstance(value, Dictionary):
        return len(value.entries) // 20
    return (
        len(value.value) // 1000
        if isinstance(value, Constant) and isinstance(value.value, str | bytes)
        else 0
    )


def to_python(value: Value) -> Any:
    """Return the Python object that `value` stands for; raise NotConstant."""
    return _to_python(value, [MAX_ITEMS])


def _to_python(value: Value, budget: list[int]) -> Any:
    budget[0] -= 1
    if budget[0] < 0:
        raise NotConstant
    if isinstance(value, Constant):
        return value.value
    if isinstance(value, Tuple):
        return tuple(_to_python(item, budget) for item in value.items)
    if isinstance(value, Sequence) and not value.state.get("open"):
        items = [_to_python(item, budget) for item in value.items]
        try:
            return items if value.kind == "list" else set(items)
        except TypeError as error:
            raise NotConstant from error
    if isinstance(value, Dictionary) and not value.open:
        try:
            return {
                _to_python(key, budget): _to_python(content, budget)
                for key, content in value.entries.values()
            }
        except TypeError as error:
            raise NotConstant from error
    plain = enum_value(value)
    if plain is not None:
        return _to_python(plain, budget)
    raise NotConstant


def from_python(machine: "Machine", value: Any) -> Value:
    """Return the value that stands for plain Python data; raise NotConstant for anything else."""
    if isinstance(value, _ATOMS):
        if not is_small(value):
            raise NotConstant
        return Constant(value)
    if isinstance(value, tuple):
        return Tuple(tuple(from_python(machine, item) for item in value))
    if isinstance(value, list | set | frozenset):
        if len(value) > MAX_ITEMS:
            raise NotConstant
        # A set of strings has no order that the analysis may rely on; any fixed one keeps answers repeatable.
        items = value if isinstance(value, list) else sorted(value, key=repr)
        return machine.sequence(
            tuple(from_python(machine, item) for item in items), "list" if isinstance(value, list) else "set"
        )
    if isinstance(value, dict):
        return machine.dictionary(
            {key_of(key): (key, from_python(machine, content)) for key, content in _keyed(machine, value)}
        )
    raise NotConstant


def _keyed(machine: "Machine", value: dict[Any, Any]) -> list[tuple[Value, Any]]:
    return [(from_python(machine, key), content) for key, content in value.items()]


def key_of(value: Value) -> Any:
    """Return what identifies `value` as the key of a dict; raise NotConstant if it is unknown."""
    try:
        key = to_python(value)
        hash(key)
    except TypeError as error:
        raise NotConstant from error
    except NotConstant:
        if isinstance(value, Unknown | Tuple | Sequence | Dictionary):
            raise
        return value
    if isinstance(key, float) and math.isnan(key):
        raise NotConstant
    return key


def enum_value(value: Value) -> Constant | None:
    """Return the plain value of a member of an enumeration that is a str or an int too."""
    if not (isinstance(value, Instance) and isinstance(value.cls, UserClass) and value.cls.enumeration):
        return None
    plain = value.state.get("value")
    mixed = any(getattr(base, "leaf", "") in ("str", "int", "IntEnum", "StrEnum") for base in value.cls.bases)
    return plain if mixed and isinstance(plain, Constant) else None


def plain(value: Value) -> Any:
    """Return a parameter as it is reported: the constant, or None if only a run can tell."""
    try:
        return _reported(to_python(value))
    except NotConstant:
        return None


def _reported(content: Any, depth: int = 0) -> Any:
    if isinstance(content, list | tuple) and depth < MAX_NESTING:
        return [_reported(item, depth + 1) for item in content]
    if isinstance(content, bool | str):
        return content
    # JSON has no infinity and no NaN, and what is compared with a float has to fit into one.
    if isinstance(content, int | float) and -sys.float_info.max <= content <= sys.float_info.max:
        return content
    return None
