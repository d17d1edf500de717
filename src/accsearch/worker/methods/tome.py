"""Token merging inside the self-attention of the transformer blocks, with tomesd's own matching.

Bolya, Hoffman: Token Merging for Fast Stable Diffusion, CVPRW 2023 (arXiv 2303.17604). Merged are the queries
of self-attention only, as that paper recommends.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import tomesd
import torch
from tomesd.merge import bipartite_soft_matching_random2d

from accsearch.methods.info import Parameters
from accsearch.worker.methods.patch import replaced
from accsearch.worker.methods.session import Clock, Invoke, Session
from accsearch.worker.methods.snapshot import untouched

STRIDE = 2
Regroup = Callable[[torch.Tensor], torch.Tensor]


@contextmanager
def native(session: Session, invoke: Invoke, parameters: Parameters) -> Iterator[Invoke]:
    """Merge the share `ratio` of tokens where attention is downsampled by at most `max_downsample`."""
    generator = torch.Generator(session.denoiser.device)
    matching = _Matching(
        session.clock, generator, float(parameters["ratio"]), int(parameters["max_downsample"])
    )

    def reseeded(**arguments: Any) -> torch.Tensor:
        generator.manual_seed(session.seed)
        return invoke(**arguments)

    with ExitStack() as stack:
        for block in transformer_blocks(session.denoiser):
            for module, forward in _merging(block, matching):
                stack.enter_context(replaced(module, forward))
        yield reseeded


@contextmanager
def package(session: Session, invoke: Invoke, parameters: Parameters) -> Iterator[Invoke]:
    """Patch the denoiser by `tomesd.apply_patch`, its generator seeded anew each time so that results repeat."""
    with untouched(session.pipeline, session.denoiser):
        tomesd.apply_patch(session.pipeline, **parameters)
        state = session.denoiser._tome_info

        def reseeded(**arguments: Any) -> torch.Tensor:
            state["args"]["generator"] = torch.Generator(session.denoiser.device).manual_seed(session.seed)
            return invoke(**arguments)

        try:
            yield reseeded
        finally:
            tomesd.remove_patch(session.pipeline)


def transformer_blocks(denoiser: torch.nn.Module) -> list[Any]:
    """Return the denoiser's transformer blocks, in the order in which it registers them."""
    return [module for module in denoiser.modules() if type(module).__name__ == "BasicTransformerBlock"]


class _Matching:
    """Pairs of similar tokens; which tokens may receive others is drawn anew for each block and call."""

    def __init__(self, clock: Clock, generator: torch.Generator, ratio: float, max_downsample: int) -> None:
        self._clock = clock
        self._generator = generator
        self._ratio = ratio
        self._max_downsample = max_downsample

    def pair(self, tokens: torch.Tensor) -> tuple[Regroup, Regroup] | None:
        """Return how to merge and unmerge `tokens` (batch, tokens, channels), None where nothing merges."""
        height, width = self._clock.size
        downsample = math.ceil(math.sqrt(height * width // tokens.shape[1]))
        if downsample > self._max_downsample:
            return None
        merge, unmerge = bipartite_soft_matching_random2d(
            tokens,
            math.ceil(width / downsample),
            math.ceil(height / downsample),
            STRIDE,
            STRIDE,
            int(tokens.shape[1] * self._ratio),
            # With an odd batch the two halves of guidance would see different destinations (as tomesd).
            no_rand=tokens.shape[0] % 2 == 1,
            generator=self._generator,
        )
        return merge, unmerge


def _merging(block: Any, matching: _Matching) -> Iterator[tuple[Any, Callable[..., Any]]]:
    """Yield the block and its self-attention, each with its merging `forward`.

    Tokens are compared as the block receives them; self-attention alone sees them merged. The pairs are found
    only when self-attention runs, so that a cache outside of it saves the matching too.
    """
    block_forward, attention_forward = block.forward, block.attn1.forward
    tokens: torch.Tensor

    def forward(hidden_states: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        nonlocal tokens
        tokens = hidden_states
        output: torch.Tensor = block_forward(hidden_states, *args, **kwargs)
        return output

    def attend(hidden_states: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        pair = matching.pair(tokens)
        if pair is None:
            output: torch.Tensor = attention_forward(hidden_states, **kwargs)
            return output
        merge, unmerge = pair
        return unmerge(attention_forward(merge(hidden_states), **kwargs))

    yield block, forward
    yield block.attn1, attend
