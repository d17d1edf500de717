"""EasyCache's rule round any denoiser: steps are skipped while their accumulated predicted change is small.

Zhou et al.: Less is Enough: Training-Free Video Diffusion Acceleration via Runtime-Adaptive Caching (arXiv
2507.02860). The rate at which the output changes with the input was found there to vary slowly from step to step, so
that the change of the input predicts that of the output. What is reused is the difference of output and input.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from accsearch.methods.info import Parameters, quantile
from accsearch.worker.methods.calibration import Plain
from accsearch.worker.methods.changes import Changes, latents_of
from accsearch.worker.methods.patch import replaced
from accsearch.worker.methods.session import Clock, Invoke, Session
from accsearch.worker.methods.settled import settled, waits


@contextmanager
def native(session: Session, invoke: Invoke, parameters: Parameters) -> Iterator[Invoke]:
    """Skip the denoiser while the predicted change since the last full step stays below `threshold`."""
    share = quantile(parameters["threshold"])
    cache = _Cache(session.clock, waits(parameters["threshold"]), int(parameters["warm_up"]), session)

    def settle(plain: Plain) -> None:
        if share is not None:
            skipping = partial(skips, parameters=parameters)
            cache.threshold = plain.threshold("step_cache", share, skipping, [parameters["warm_up"]])

    with (
        replaced(session.denoiser, cache.wrapped(session.denoiser.forward)),
        settled(session, None if share is None else settle),
    ):
        yield invoke


@dataclass
class _Half:
    """What is kept of one half of guidance that has calls of its own, or of both where they are one batch."""

    latents: Any = None
    output: Any = None
    difference: Any = None


class _Cache:
    """Decides in the first call of a step; a second one, for the other half of guidance, follows it."""

    def __init__(self, clock: Clock, threshold: float, warm_up: int, session: Session) -> None:
        self.threshold = threshold
        self._clock = clock
        self._warm_up = warm_up
        self._session = session

    def _begin(self) -> None:
        self._halves = (_Half(), _Half())
        self._rate: torch.Tensor | None = None
        self._error: float = 0.0
        self._calls = 0
        self._skips = False

    def wrapped(self, inner: Callable[..., Any]) -> Callable[..., Any]:
        def forward(*args: Any, **kwargs: Any) -> Any:
            clock = self._clock
            if clock.index == 0:
                self._begin()
            half, latents = self._halves[clock.branch], _joined(latents_of(args, kwargs))
            if clock.branch == 0:
                self._decide(half, latents)
            if self._skips:
                output = _added(latents, half.difference)
                half.latents, half.output = latents, output
                return (_parted(output, latents_of(args, kwargs)),)
            found = inner(*args, **kwargs)
            output = self._session.kept(_joined(found[0]))
            if clock.branch == 0 and half.latents is not None:
                self._rate = _distance(output, half.output) / _distance(latents, half.latents)
                self._error = 0.0
            half.latents, half.output = latents, output
            half.difference = _difference(output, latents)
            return found

        return forward

    def _decide(self, half: _Half, latents: torch.Tensor) -> None:
        self._calls += 1
        self._skips = False
        if self._rate is None or self._calls <= self._warm_up:
            return
        change = self._rate * _distance(latents, half.latents) / half.output.abs().float().mean()
        self._error += float(change)
        self._skips = self._error < self.threshold


def _joined(latents: Any) -> torch.Tensor:
    """Return latents as one tensor; Z-Image takes and gives a list of one tensor an image."""
    joined: torch.Tensor = torch.stack(latents) if isinstance(latents, list) else latents
    return joined


def _parted(output: torch.Tensor, like: Any) -> Any:
    return list(output) if isinstance(like, list) else output


def _distance(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return (one - other).abs().float().mean()


def _difference(output: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
    """Return output less input; what a denoiser predicts beside (PixArt: a variance) is kept as it is."""
    if output.shape == latents.shape:
        return output - latents
    channels = latents.shape[1]
    return torch.cat([output[:, :channels] - latents, output[:, channels:]], dim=1)


def _added(latents: torch.Tensor, difference: torch.Tensor) -> torch.Tensor:
    if difference.shape == latents.shape:
        return latents + difference
    channels = latents.shape[1]
    return torch.cat([latents + difference[:, :channels], difference[:, channels:]], dim=1)


def skips(changes: Changes, threshold: float, parameters: Mapping[str, Any]) -> list[bool]:
    """Say which calls of a plain generation the cache would skip."""
    warm_up, found = int(parameters["warm_up"]), [False]
    rate, error, norm = 0.0, 0.0, 0.0
    for call in range(1, len(changes.inputs)):
        moved = float(_distance(changes.inputs[call], changes.inputs[call - 1]))
        if call >= warm_up:
            error += rate * moved / norm
        skipped = call >= warm_up and error < threshold
        found.append(skipped)
        norm = float(changes.outputs[call].abs().mean())
        if not skipped:
            rate, error = float(_distance(changes.outputs[call], changes.outputs[call - 1])) / moved, 0.0
    return found


def inert(plain: Plain, parameters: Parameters) -> float:
    """Return the share of calls that a number as threshold would skip."""
    return plain.skipped(partial(skips, parameters=parameters), float(parameters["threshold"]))
