"""The `methods` section, checked against the catalogue."""

from collections.abc import Mapping
from typing import Any

from accsearch.config.mistake import Findings, Mistake, Path, nearest
from accsearch.methods.catalogue import METHODS
from accsearch.methods.info import ParameterInfo
from accsearch.task import Scalar

Lists = dict[str, dict[str, tuple[Scalar, ...]]]


def parse_methods(section: Mapping[str, Any], findings: Findings) -> Lists:
    """Return method → parameter → values of its own type; wrong values are left out and added to the findings."""
    found: Lists = {}
    for name, lists in section.items():
        parsed = findings.of(_method, name, lists, findings)
        if parsed is not None:
            found[name] = parsed
    return found


def _method(name: str, lists: Any, findings: Findings) -> dict[str, tuple[Scalar, ...]]:
    path: Path = ("methods", name)
    if name not in METHODS:
        names = [*METHODS, "implementation"]
        raise Mistake(path, f"unknown method (allowed {', '.join(names)}{nearest(name, names)})")
    parameters = METHODS[name].parameters
    if lists is None:
        return {}
    if not isinstance(lists, dict):
        raise Mistake(path, f"allowed a mapping of {', '.join(parameters)} to lists of values")
    found: dict[str, tuple[Scalar, ...]] = {}
    for key, values in lists.items():
        if key not in parameters:
            hint = nearest(key, parameters)
            findings.add(
                [Mistake((*path, key), f"unknown parameter (allowed {', '.join(parameters)}{hint})")]
            )
        elif (parsed := findings.of(_values, parameters[key], values, (*path, key))) is not None:
            found[key] = parsed
    return found


def _values(parameter: ParameterInfo, values: Any, path: Path) -> tuple[Scalar, ...]:
    listed = values if isinstance(values, list) else [values]
    if not listed:
        raise Mistake(path, f"is empty (allowed {parameter.allowed})")
    found: list[Scalar] = []
    for index, value in enumerate(listed):
        place = (*path, index) if isinstance(values, list) else path
        admitted = None if isinstance(value, dict | list | None) else parameter.admit(value)
        if admitted is None:
            hint = nearest(_shown(value), map(str, parameter.choices))
            raise Mistake(place, f"{_shown(value)} is not allowed (allowed {parameter.allowed}{hint})")
        if admitted in found:
            raise Mistake(place, f"{_shown(value)} is given twice")
        found.append(admitted)
    return tuple(found)


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)
