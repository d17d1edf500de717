"""What the catalogue says of a method and of each of its parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from accsearch.task import Scalar

Family = Literal["sd", "sdxl", "pixart", "other"]
"""Pipelines that the methods see alike; the classes of each are in `config.models`."""
EVERY_FAMILY: frozenset[Family] = frozenset(get_args(Family))


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterInfo:
    """One parameter: its type and bounds, the value it takes unless set, the values searched by default.

    `short` is its part of a trial's id; a parameter with an empty one is not shown there.
    """

    type: type[int] | type[float] | type[str] | type[bool]
    default: Scalar
    doc: str
    short: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Scalar, ...] = ()
    searched: tuple[Scalar, ...] = ()

    @property
    def allowed(self) -> str:
        """Say which values are allowed, for an error message."""
        if self.choices:
            return " or ".join(_spelt(choice) for choice in self.choices)
        kind = {int: "whole number", float: "number"}[self.type]
        if self.minimum is not None and self.maximum is not None:
            return f"a {kind} from {self.minimum:g} to {self.maximum:g}"
        return f"a {kind} of at least {self.minimum:g}" if self.minimum is not None else f"a {kind}"

    def admit(self, value: Scalar) -> Scalar | None:
        """Return `value` as the parameter's own type, or None where it is not allowed."""
        if self.type is float and type(value) is int:
            value = float(value)
        if type(value) is not self.type or (self.choices and value not in self.choices):
            return None
        if isinstance(value, int | float):
            if self.minimum is not None and not value >= self.minimum:
                return None
            if self.maximum is not None and not value <= self.maximum:
                return None
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodInfo:
    """One method. An exact one computes what the baseline computes, up to rounding; an approximate one less.

    `supports` names the families of pipelines it works on. `paired_defaults` replaces defaults where the method
    is combined with another one. `searched` says whether a configuration without a `methods` section searches it.
    """

    name: str
    parameters: Mapping[str, ParameterInfo]
    exact: bool
    supports: frozenset[Family]
    paper: str
    doc: str
    searched: bool = False
    paired_defaults: Mapping[str, Mapping[str, Scalar]] = field(default_factory=dict)


def _spelt(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
