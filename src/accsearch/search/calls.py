"""Which kinds of denoiser calls a configuration makes: calls of one kind take the same time."""

from collections.abc import Callable, Mapping

from accsearch.task import Methods, Scalar

Parameters = Mapping[str, Scalar]
Kind = str
"""What sets the cost of a call: a label such as `deepcache:shallow0 tgate:half`; empty for the plain call."""


def denoiser_calls(methods: Methods, steps: int) -> tuple[Kind, ...]:
    """Return the kind of each denoiser call of one generation of `steps` sampler steps.

    Samplers of second order make two calls a step; both are taken to be of the step's kind. A method that
    this module does not know makes every call a kind of its own parameters, which is right but shares nothing.
    """
    count = _step_count(methods, steps)
    fresh = _fresh_steps(methods)
    labels = [
        _PER_STEP.get(name, _constant)(name, parameters, count, fresh)
        for name, parameters in methods.items()
        if name != "fewer_steps"
    ]
    return (
        tuple(" ".join(filter(None, step)) for step in zip(*labels, strict=True)) if labels else ("",) * count
    )


def _step_count(methods: Methods, steps: int) -> int:
    fewer = methods.get("fewer_steps")
    return steps if fewer is None else max(1, round(steps * float(fewer["ratio"])))


def _fresh_steps(methods: Methods) -> frozenset[int]:
    """Return the steps that compute every layer because T-GATE needs them to."""
    if "tgate" not in methods:
        return frozenset()
    gate = int(methods["tgate"]["gate_step"])
    return frozenset({gate - 1, gate})


def _deepcache(_name: str, parameters: Parameters, steps: int, fresh: frozenset[int]) -> list[Kind]:
    interval, branch = int(parameters["cache_interval"]), parameters["cache_branch_id"]
    kinds, origin = [], 0
    for step in range(steps):
        if step in fresh:
            origin = step
        kinds.append("" if (step - origin) % interval == 0 else f"deepcache:shallow{branch}")
    return kinds


def _tgate(_name: str, parameters: Parameters, steps: int, _fresh: frozenset[int]) -> list[Kind]:
    gate, warm_up = int(parameters["gate_step"]), int(parameters["warm_up"])
    before, after = int(parameters["sp_interval"]), int(parameters["fi_interval"])
    kinds = []
    for step in range(steps):
        if step >= gate:
            kinds.append("tgate:half" if after == 1 or step % after == 0 else "tgate:half-reuse")
        else:
            computes = step < warm_up or before == 1 or step in (warm_up, gate - 1) or step % before == 0
            kinds.append("" if computes else "tgate:reuse")
    return kinds


def _constant(name: str, parameters: Parameters, steps: int, _fresh: frozenset[int]) -> list[Kind]:
    values = ",".join(str(value) for value in parameters.values())
    return [f"{name}:{values}" if values else name] * steps


_PER_STEP: Mapping[str, Callable[[str, Parameters, int, frozenset[int]], list[Kind]]] = {
    "deepcache": _deepcache,
    "tgate": _tgate,
}
