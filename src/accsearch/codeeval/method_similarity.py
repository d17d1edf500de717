"""How near two sets of acceleration methods are, parameters included."""

from collections.abc import Mapping
from typing import Any

from accsearch.codeeval.field_weights import Weights
from accsearch.codeeval.fields import Parameters
from accsearch.codeeval.knowledge import DEFAULTS, LOADER_CACHE_DEFAULTS, TGATE_WITH_DEEPCACHE_DEFAULTS

Methods = Mapping[str, Parameters]


def methods_similarity(reference: Methods, generated: Methods, weights: Weights) -> tuple[float, str]:
    """Return the similarity of two sets of methods and what is different in them.

    It is the mean over all methods of either file: 0 for one that the other lacks, otherwise its presence
    and the nearness of its parameters by their weights. The order of application plays no part.
    """
    similarity, notes = _judged(reference, generated, weights)
    return similarity, "; ".join(notes)


def _judged(reference: Methods, generated: Methods, weights: Weights) -> tuple[float, list[str]]:
    names = sorted({*reference, *generated})
    if not names:
        return 1.0, []
    total = 0.0
    notes: list[str] = []
    for name in names:
        if name not in generated:
            notes.append(f"{name} only in the reference")
        elif name not in reference:
            notes.append(f"{name} only in the generated file")
        else:
            near, differences = _parameters_similarity(name, reference, generated, weights)
            total += weights.method_presence + (1 - weights.method_presence) * near
            notes += [f"{name}.{difference}" for difference in differences]
    return total / len(names), notes


def method_differences(reference: Methods, generated: Methods) -> list[str]:
    """Return what is different in two sets of methods, defaults filled in; empty if both do the same."""
    return _judged(reference, generated, Weights())[1]


def _complete(name: str, methods: Methods) -> dict[str, Any]:
    """Return a method's parameters with the defaults of those that the code leaves out."""
    defaults = DEFAULTS.get(name, {})
    if "deepcache" in methods and "tgate" in methods:
        # Only the loaders that join the two let them work together, and those have defaults of their own.
        joint = {"deepcache": LOADER_CACHE_DEFAULTS, "tgate": TGATE_WITH_DEEPCACHE_DEFAULTS}
        defaults = joint.get(name, defaults)
    return {**defaults, **methods[name]}


def _parameters_similarity(
    method: str, reference: Methods, generated: Methods, weights: Weights
) -> tuple[float, list[str]]:
    """Return the mean nearness of the parameters that either file writes, and the differences."""
    first, second = _complete(method, reference), _complete(method, generated)
    # Defaults that both leave alone would drown a difference in the parameters that matter.
    names = sorted(
        {*reference[method], *generated[method], *(key for key in first if first[key] != second.get(key))}
    )
    nearness: list[float] = []
    differences: list[str] = []
    for name in names:
        one, other = first.get(name), second.get(name)
        near = _nearness(one, other, weights)
        nearness.append(near)
        if near < 1:
            differences.append(f"{name} {_shown(one)} against {_shown(other)}")
    return (sum(nearness) / len(nearness) if nearness else 1.0), differences


def _shown(value: Any) -> str:
    return "unknown" if value is None else str(value)


def _nearness(one: Any, other: Any, weights: Weights) -> float:
    """Return 1 for equal values, for numbers the share of the larger that both have, otherwise 0."""
    if one == other and type(one) is type(other):
        return 1.0
    if one is None or other is None:
        return weights.unknown_parameter
    numbers = [
        value for value in (one, other) if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    if len(numbers) < 2:
        return 0.0
    largest = max(abs(number) for number in numbers)
    return 1.0 if largest == 0 else max(0.0, 1 - abs(one - other) / largest)
