"""What changes from call to call of the denoiser in a plain generation, and what the caches would skip of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from accsearch.worker.methods.clock import Clock, Invoke
from accsearch.worker.methods.repeated_blocks import image_of, known_blocks, output_index

THINNED = 1 << 16
"""Most entries kept of a tensor, evenly spaced: relative changes are means over far fewer than it has."""


@dataclass(frozen=True)
class Changes:
    """What one half of guidance took and gave in a plain generation, one entry a call, thinned and in float32.

    `heads` are the residuals of the first block, `ratios` the mean ratio of the magnitude of the residual of all
    blocks to that of the call before (1 for the first call); both are empty without known blocks.
    """

    inputs: list[torch.Tensor]
    outputs: list[torch.Tensor]
    heads: list[torch.Tensor]
    ratios: list[float]


def record(denoiser: Any, clock: Clock, invoke: Invoke, arguments: Mapping[str, Any]) -> list[Changes]:
    """Generate once with the plain pipeline and return what changed, for each half that has calls of its own."""
    found = [Changes([], [], [], []) for _ in range(2)]
    with _recording(denoiser, clock, found):
        invoke(**arguments)
    return [each for each in found if each.inputs]


@contextmanager
def _recording(denoiser: Any, clock: Clock, found: Sequence[Changes]) -> Iterator[None]:
    blocks = known_blocks(denoiser)
    before: dict[int, torch.Tensor] = {}
    entered: list[torch.Tensor] = []

    def of_denoiser(_module: Any, args: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        mine = found[clock.branch]
        mine.inputs.append(_thinned(latents_of(args, named)))
        mine.outputs.append(_thinned(output[0]))

    def of_head(_module: Any, args: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        entered[:] = [_states(args, named)]
        left = image_of(output, output_index(blocks[0]))
        found[clock.branch].heads.append(_thinned(left - entered[0]))

    def of_tail(_module: Any, _args: tuple[Any, ...], _named: dict[str, Any], output: Any) -> None:
        states = image_of(output, output_index(blocks[-1]))
        # Where the last blocks join text and image, as in FLUX.2, the image's tokens stand at the end.
        residual = states[:, -entered[0].shape[1] :] - entered[0]
        last = before.get(clock.branch)
        found[clock.branch].ratios.append(1.0 if last is None else _ratio(residual, last))
        before[clock.branch] = residual

    hooks = [denoiser.register_forward_hook(of_denoiser, with_kwargs=True)]
    if blocks:
        hooks.append(blocks[0].register_forward_hook(of_head, with_kwargs=True))
        hooks.append(blocks[-1].register_forward_hook(of_tail, with_kwargs=True))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def latents_of(args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    """Return the latents among the arguments of a denoiser's call: SD3 and Flux give them by name."""
    if args:
        return args[0]
    return named["hidden_states"] if "hidden_states" in named else named["sample"]


def _states(args: tuple[Any, ...], named: Mapping[str, Any]) -> torch.Tensor:
    states: torch.Tensor = named["hidden_states"] if "hidden_states" in named else args[0]
    return states


def _thinned(value: Any) -> torch.Tensor:
    flat = torch.stack(value).flatten() if isinstance(value, list) else value.detach().flatten()
    return flat[:: 1 + flat.numel() // THINNED].float().cpu()


def _ratio(residual: torch.Tensor, before: torch.Tensor) -> float:
    """Return the mean over the tokens of the ratio of two residuals' magnitudes, as MagCache defines it."""
    now, then = (torch.linalg.norm(each.float(), dim=-1) for each in (residual, before))
    return float((now / (then + 1e-8)).mean())


def relative_change(now: torch.Tensor, before: torch.Tensor) -> float:
    """Return the mean absolute difference over the mean absolute value of what was before."""
    return float((now - before).abs().mean() / before.abs().mean())


Skips = Callable[[Changes, float], list[bool]]
"""Say of each call of a plain generation whether a cache with a threshold would skip it."""


def share_skipped(skips: Skips, found: Sequence[Changes], threshold: float) -> float:
    """Return the share of the calls that a cache with this threshold would skip."""
    skipped = [each for changes in found for each in skips(changes, threshold)]
    return sum(skipped) / len(skipped)


def threshold_for(share: float, skips: Skips, found: Sequence[Changes]) -> float:
    """Return the threshold that skips the share of calls nearest to `share`, by bisection.

    A higher threshold skips more; where no threshold skips exactly so many, that of the nearer number is taken.
    """
    low, high = 0.0, 1e-6
    while share_skipped(skips, found, high) < share and high < 1e6:
        low, high = high, 2 * high
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if share_skipped(skips, found, middle) < share else (low, middle)
    under, over = share_skipped(skips, found, low), share_skipped(skips, found, high)
    return low if share - under < over - share else high
