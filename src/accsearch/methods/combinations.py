"""All combinations of methods and parameter values."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product

from accsearch.errors import UsageError
from accsearch.methods.catalogue import METHODS
from accsearch.methods.compatibility import combines
from accsearch.methods.info import ParameterInfo, quantile
from accsearch.task import BASELINE, Methods, Scalar

Lists = Mapping[str, Mapping[str, tuple[Scalar, ...]]]
"""method → parameter → the values to search; a parameter that is absent takes its default."""


def default_lists() -> Lists:
    """Return what is searched where a configuration has no `methods` section."""
    return {
        info.name: {name: parameter.searched for name, parameter in info.parameters.items()}
        for info in METHODS.values()
        if info.searched
    }


def combinations_of(lists: Lists) -> Iterator[Methods]:
    """Yield every set of methods that combines, with every choice of parameters; not the baseline.

    Which of them a cell admits is for `compatibility.admits` to say.
    """
    ordered = [name for name in METHODS if name in lists]
    for size in range(1, len(ordered) + 1):
        for names in combinations(ordered, size):
            if combines(names) is None:
                choices = (tuple(settings(name, lists[name], names)) for name in names)
                for chosen in product(*choices):
                    yield dict(zip(names, chosen, strict=True))


def settings(
    method: str, lists: Mapping[str, tuple[Scalar, ...]], together: Sequence[str] = ()
) -> Iterator[Mapping[str, Scalar]]:
    """Yield each choice of `method`'s parameters, complete, when used `together` with other methods."""
    info = METHODS[method]
    paired = {key: value for other in together for key, value in info.paired_defaults.get(other, {}).items()}
    values = [lists.get(name) or (paired.get(name, each.default),) for name, each in info.parameters.items()]
    for chosen in product(*values):
        yield dict(zip(info.parameters, chosen, strict=True))


def trial_id(methods: Methods) -> str:
    """Return the stable, filename-safe id of a trial, as `deepcache-i3-b0+tome-r0.5-d1`."""
    return "+".join(_part(name, parameters) for name, parameters in methods.items()) or BASELINE


def distinct(methods: Methods) -> Methods:
    """Return what tells a trial from others: its methods without parameters that hide the default that they have.

    So a parameter that is new to a method changes no digest and no key of results without it.
    """
    return {
        name: {
            key: value
            for key, value in parameters.items()
            if name not in METHODS
            or key not in (known := METHODS[name].parameters)
            or not known[key].hides_default
            or value != known[key].default
        }
        for name, parameters in methods.items()
    }


def methods_of(trial: str) -> Methods:
    """Return the methods that a trial's id stands for; parameters that it does not show take their defaults.

    Raises UsageError for an id that is none.
    """
    if trial == BASELINE:
        return {}
    return complete(dict(_parsed(part, trial) for part in trial.split("+")))


def complete(methods: Mapping[str, Mapping[str, Scalar]]) -> Methods:
    """Return `methods` in the catalogue's order with every parameter, absent ones by default.

    Raises UsageError for an unknown method or parameter, or a value that is not allowed.
    """
    if unknown := sorted(methods.keys() - METHODS.keys()):
        raise UsageError(f"unknown method {unknown[0]} (allowed {', '.join(METHODS)})")
    for name, given in methods.items():
        known = METHODS[name].parameters
        if strange := sorted(given.keys() - known.keys()):
            raise UsageError(f"{name} has no parameter {strange[0]} (allowed {', '.join(known) or 'none'})")
        for key, value in given.items():
            if known[key].admit(value) is None:
                raise UsageError(f"{name}.{key} {value!r} is not allowed (allowed {known[key].allowed})")
    return {
        name: next(settings(name, {key: (value,) for key, value in methods[name].items()}, tuple(methods)))
        for name in METHODS
        if name in methods
    }


def _parsed(part: str, trial: str) -> tuple[str, Mapping[str, Scalar]]:
    """Return method and shown parameters of one part of a trial's id, as `deepcache-i3-b0`."""
    for name, info in METHODS.items():
        shown = {key: each for key, each in info.parameters.items() if each.short}
        pattern = name + "".join(_pattern(each) for each in shown.values())
        if found := re.fullmatch(pattern, part):
            values = zip(shown, found.groups(), strict=True)
            return name, {
                key: _typed(info.parameters[key], text, trial) for key, text in values if text is not None
            }
    raise UsageError(f"{trial} is no trial: {part} names no method with its parameters")


def _pattern(parameter: ParameterInfo) -> str:
    """Return the regular expression of a parameter in a trial's id, with the value as its group."""
    value = "|".join(re.escape(str(each)) for each in parameter.choices) or ".+?"
    pattern = rf"-{re.escape(parameter.short.strip('-'))}({value})"
    return f"(?:{pattern})?" if parameter.hides_default else pattern


def _typed(parameter: ParameterInfo, text: str, trial: str) -> Scalar:
    if parameter.quantiles and quantile(text) is not None:
        return text
    try:
        return parameter.type(text)
    except ValueError as error:
        raise UsageError(f"{trial} is no trial: {text} is not {parameter.allowed}") from error


def _part(method: str, parameters: Mapping[str, Scalar]) -> str:
    shown = (
        f"-{info.short.strip('-')}{parameters[name]}"
        for name, info in METHODS[method].parameters.items()
        if info.short and not (info.hides_default and parameters[name] == info.default)
    )
    return method + "".join(shown)
