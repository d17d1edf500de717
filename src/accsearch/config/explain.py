"""Turn pydantic's report into mistakes: the key, what is allowed, the nearest valid name."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from accsearch.config.mistake import Mistake, nearest
from accsearch.config.mistake import Path as KeyPath

_KINDS = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "list_type": "a list",
    "mapping_type": "a mapping",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "finite_number": "a finite number",
}
_BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
    "multiple_of": ("a multiple of", "multiple_of"),
}


def explain(error: ValidationError, model: type[BaseModel]) -> list[Mistake]:
    """Return the mistakes that `error` reports about data of the shape of `model`."""
    return [_explained(each, model) for each in error.errors(include_url=False)]


def _explained(report: Mapping[str, Any], model: type[BaseModel]) -> Mistake:
    path = tuple(part for part in report["loc"] if part != "[key]")
    kind, context, value = report["type"], report.get("ctx", {}), report.get("input")
    if kind == "extra_forbidden":
        names = _names(model, path[:-1])
        return Mistake(path, f"unknown key (allowed {', '.join(names)}{nearest(str(path[-1]), names)})")
    if kind == "literal_error":
        choices = context["expected"].replace("'", "")
        near = nearest(str(value), choices.replace(" or ", ", ").split(", "))
        return Mistake(path, f"{_shown(value)} is not allowed (allowed {choices}{near})")
    if kind in _BOUNDS:
        words, key = _BOUNDS[kind]
        hint = _as_share(value) if context[key] == 1 and key in ("le", "lt") else ""
        return Mistake(path, f"{_shown(value)} is not allowed (allowed {words} {context[key]}{hint})")
    if kind in _KINDS:
        return Mistake(path, f"{_shown(value)} is not allowed (allowed {_KINDS[kind]})")
    if kind in ("too_short", "string_too_short"):
        return Mistake(path, "is empty (allowed one value or more)")
    if kind == "missing":
        return Mistake(path, "is missing")
    if kind == "value_error":
        return Mistake(path, str(context["error"]))
    return Mistake(path, f"{_shown(value)} is not allowed ({report['msg']})")


def _as_share(value: Any) -> str:
    """Return the hint for a share that was given in per cent."""
    per_cent = isinstance(value, int | float) and 1 < value <= 100
    return f"; did you mean {value / 100:g}?" if per_cent else ""


def _names(model: type[BaseModel], path: KeyPath) -> list[str]:
    """List the keys allowed below `path`, as far as it leads through models."""
    for part in path:
        field = model.model_fields[str(part)].annotation
        below = [each for each in (field, *get_args(field)) if isinstance(each, type)]
        models = [each for each in below if issubclass(each, BaseModel)]
        if not models:
            return []
        model = models[0]
    return [field.alias or name for name, field in model.model_fields.items() if name not in _HIDDEN]


_HIDDEN = frozenset({"facts", "implementation"})
"""Fields of a resolved configuration that are no keys of their own in YAML."""


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "a list"
    return repr(value) if isinstance(value, str) else str(value)
