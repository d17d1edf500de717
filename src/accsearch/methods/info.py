"""What is known of a method, and of each of its parameters, without torch."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from accsearch.methods.cell import Cell, Family
from accsearch.task import Methods, Scalar

Parameters = Mapping[str, Scalar]
_QUANTILE = re.compile(r"p([1-9]\d?)", re.ASCII)
Kind = str
"""What sets the cost of a denoiser call: a label such as `deepcache:shallow0 tgate:half`; empty for the plain call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterInfo:
    """One parameter: its type and bounds, the value it takes unless set, the values searched by default.

    `short` goes before its value in a trial's id, where a parameter without one is left out; one that `hides_default`
    is left out where it has its default. `label` is its name in reports if that is another. Where `quantiles` are
    allowed, `p50` stands for the value that skips half of the steps of a plain generation, found when the trial is set
    up.
    """

    type: type[int] | type[float] | type[str] | type[bool]
    default: Scalar
    doc: str
    short: str = ""
    label: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Scalar, ...] = ()
    searched: tuple[Scalar, ...] = ()
    quantiles: bool = False
    hides_default: bool = False

    @property
    def allowed(self) -> str:
        """Say which values are allowed, for an error message."""
        return f"{self._allowed} or a quantile from p1 to p99" if self.quantiles else self._allowed

    @property
    def _allowed(self) -> str:
        if self.choices:
            return " or ".join(_spelt(choice) for choice in self.choices)
        kind = {int: "whole number", float: "number"}[self.type]
        if self.minimum is not None and self.maximum is not None:
            return f"a {kind} from {self.minimum:g} to {self.maximum:g}"
        return f"a {kind} of at least {self.minimum:g}" if self.minimum is not None else f"a {kind}"

    def admit(self, value: Scalar) -> Scalar | None:
        """Return `value` as the parameter's own type, or None where it is not allowed."""
        if self.quantiles and quantile(value) is not None:
            return value
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


def quantile(value: Scalar) -> float | None:
    """Return the share that `p1` to `p99` stands for, None for another value."""
    found = _QUANTILE.fullmatch(value) if isinstance(value, str) else None
    return int(found[1]) / 100 if found else None


class Nesting(IntEnum):
    """What a method changes; a method is put on outside of all that come before it here."""

    WEIGHTS = 0
    COMPILER = 1
    FEATURES = 2
    TOKENS = 3
    ATTENTION = 4
    """A cache of attention goes round the merge of tokens, and halves the batch that cached features are made of."""
    SAMPLER = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryUse:
    """How code that does without accsearch names a method: by it such code is read, and compared with a trial's.

    `package` has the class `config` and the `function` that puts the method on; `fields` are the first of the class,
    or of the function where there is no class. `defaults` are the package's own. `listed` is the method's name in
    comparisons, if that is another.

    `names` maps a parameter of the method to the package's name, `values` its values to those of the package; what is
    absent is the same in both, or has no counterpart there.
    """

    package: str = "diffusers"
    config: str = ""
    function: str = ""
    fields: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    listed: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[Any, Scalar]] = field(default_factory=dict)

    def written(self, parameters: Parameters) -> dict[str, Scalar]:
        """Return the parameters of a trial under the package's names."""
        return {
            self.names.get(name, name): self.values.get(name, {}).get(value, value)
            for name, value in parameters.items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodInfo:
    """One method; its twin in `accsearch.worker.methods`, a module of the same name, says how it is done."""

    name: str
    doc: str
    paper: str
    parameters: Mapping[str, ParameterInfo]
    exact: bool
    """An exact method computes what the baseline computes, up to rounding; an approximate one less."""
    supports: frozenset[Family]
    """The families of pipelines that it works on."""
    nesting: Nesting
    unsupported: Mapping[Family, str] = field(default_factory=dict)
    """Why it does not work on other families, where there is more to say than that."""
    library: LibraryUse | None = None
    """Its names in the package by which others use it; None if accsearch alone has it."""
    package: str = ""
    """The package that it needs beside the worker's own, which `extra` of accsearch installs."""
    extra: str = ""
    searched: bool = False
    """Whether a configuration without a `methods` section searches it."""
    paired_defaults: Mapping[str, Parameters] = field(default_factory=dict)
    """Defaults of its parameters that differ where it is combined with another method, by that method's name."""
    conflict: Callable[[str], str | None] | None = None
    """Return why it does not combine with the method of that name; asked of both methods of a pair."""
    refusal: Callable[[Cell, Methods], str | None] = lambda _cell, _methods: None
    """Return why a cell does not admit it, with its parameters and other methods as given, on one line."""
    caution: Callable[[Cell], str | None] = lambda _cell: None
    """Return what a user should know although the cell admits it."""
    calls: Callable[[Parameters, int, frozenset[int]], Sequence[Kind]] | None = None
    """Return the kind of each denoiser call for a number of steps, of which some are `fresh_steps` of any method.

    None if all calls are of one kind, set by the parameters.
    """
    counts_calls: bool = False
    """Whether its schedule counts calls of the denoiser where a sampler makes several a step; `calls` then gets those
    for steps."""
    steps_left: Callable[[Parameters, int], int] = lambda _parameters, steps: steps
    """Return how many steps the sampler makes of those that were asked for."""
    fresh_steps: Callable[[Parameters], frozenset[int]] = lambda _parameters: frozenset()
    """Return the steps in which it needs every layer of the denoiser to be computed."""

    @property
    def module(self) -> str:
        """The name by which `package` is imported; empty where there is none."""
        return self.package.replace("-", "_")


def _spelt(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
