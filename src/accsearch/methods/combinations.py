"""All combinations of methods and parameter values."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product

from accsearch.methods.catalogue import METHODS
from accsearch.methods.compatibility import combines
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


def _part(method: str, parameters: Mapping[str, Scalar]) -> str:
    shown = (
        f"-{info.short.strip('-')}{parameters[name]}"
        for name, info in METHODS[method].parameters.items()
        if info.short
    )
    return method + "".join(shown)
