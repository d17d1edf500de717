"""The `methods` section, checked against the catalogue."""

from collections.abc import Mapping
from typing import Any

from accsearch.config.mistake import Mistake, Path, nearest
from accsearch.methods.catalogue import METHODS
from accsearch.methods.info import ParameterInfo
from accsearch.task import Scalar

Lists = dict[str, dict[str, tuple[Scalar, ...]]]


def parse_methods(section: Mapping[str, Any]) -> Lists:
    """Return method → parameter → values of the parameter's own type; raises Mistake."""
    return {name: _method(name, lists) for name, lists in section.items()}


def _method(name: str, lists: Any) -> dict[str, tuple[Scalar, ...]]:
    path: Path = ("methods", name)
    if name not in METHODS:
        names = [*METHODS, "implementation"]
        raise Mistake(path, f"unknown method (allowed {', '.join(names)}{nearest(name, names)})")
    parameters = METHODS[name].parameters
    if lists is None:
        return {}
    if not isinstance(lists, dict):
        raise Mistake(path, f"allowed a mapping of {', '.join(parameters)} to lists of values")
    for key in lists:
        if key not in parameters:
            hint = nearest(key, parameters)
            raise Mistake((*path, key), f"unknown parameter (allowed {', '.join(parameters)}{hint})")
    return {key: _values(parameters[key], values, (*path, key)) for key, values in lists.items()}


def _values(parameter: ParameterInfo, values: Any, path: Path) -> tuple[Scalar, ...]:
    listed = values if isinstance(values, list) else [values]
    if not listed:
        raise Mistake(path, f"is empty (allowed {parameter.allowed})")
    found: list[Scalar] = []
    for index, value in enumerate(listed):
        place = (*path, index) if isinstance(values, list) else path
        admitted = None if isinstance(value, dict | list | None) else parameter.admit(value)
        if admitted is None:
            raise Mistake(place, f"{_shown(value)} is not allowed (allowed {parameter.allowed})")
        if admitted in found:
            raise Mistake(place, f"{_shown(value)} is given twice")
        found.append(admitted)
    return tuple(found)


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)
