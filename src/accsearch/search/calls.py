"""Which kinds of denoiser calls a configuration makes: calls of one kind take the same time."""

from collections.abc import Sequence

from accsearch.methods.catalogue import METHODS, fresh_steps
from accsearch.methods.info import Kind, Parameters
from accsearch.task import Methods


def denoiser_calls(methods: Methods, steps: int, order: int = 1, surplus: int = 0) -> tuple[Kind, ...]:
    """Return the kind of each denoiser call of one generation of `steps` sampler steps.

    A sampler of second `order` makes two calls a step. `surplus` is how many calls it makes beyond order * steps: -1
    for Heun, whose last step needs one call, 1 for PNDM, whose first call is repeated.
    """
    for name, parameters in methods.items():
        steps = METHODS[name].steps_left(parameters, steps)
    fresh, lead, count = fresh_steps(methods), max(0, surplus), steps * order + surplus
    kinds: list[Sequence[Kind]] = [[""] * count]
    for name, parameters in methods.items():
        if METHODS[name].counts_calls:
            own = frozenset(step * order + lead for step in fresh)
            kinds.append(_kinds(name, parameters, count, own))
        else:
            of_steps = _kinds(name, parameters, steps, fresh)
            kinds.append([of_steps[max(0, call - lead) // order] for call in range(count)])
    return tuple(" ".join(filter(None, call)) for call in zip(*kinds, strict=True))


def _kinds(name: str, parameters: Parameters, steps: int, fresh: frozenset[int]) -> Sequence[Kind]:
    if (calls := METHODS[name].calls) is not None:
        return calls(parameters, steps, fresh)
    values = ",".join(str(value) for value in parameters.values())
    return [f"{name}:{values}" if values else name] * steps
