"""Which kinds of denoiser calls a configuration makes: calls of one kind take the same time."""

from collections.abc import Sequence

from accsearch.methods.catalogue import METHODS, fresh_steps
from accsearch.methods.info import Kind, Parameters
from accsearch.task import Methods


def denoiser_calls(methods: Methods, steps: int) -> tuple[Kind, ...]:
    """Return the kind of each denoiser call of one generation of `steps` sampler steps.

    Samplers of second order make two calls a step; both are taken to be of the step's kind.
    """
    for name, parameters in methods.items():
        steps = METHODS[name].steps_left(parameters, steps)
    fresh = fresh_steps(methods)
    kinds = [_kinds(name, parameters, steps, fresh) for name, parameters in methods.items()]
    return tuple(" ".join(filter(None, step)) for step in zip([""] * steps, *kinds, strict=True))


def _kinds(name: str, parameters: Parameters, steps: int, fresh: frozenset[int]) -> Sequence[Kind]:
    if (calls := METHODS[name].calls) is not None:
        return calls(parameters, steps, fresh)
    values = ",".join(str(value) for value in parameters.values())
    return [f"{name}:{values}" if values else name] * steps
