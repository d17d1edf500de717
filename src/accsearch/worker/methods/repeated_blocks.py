"""The repeated blocks of a denoiser, which the caches of blocks skip and whose calls are counted."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from accsearch.worker.methods.patch import replaced

NAMES = ("blocks", "transformer_blocks", "single_transformer_blocks", "layers", "joint_transformer_blocks")
"""Lists of repeated blocks, as the transformers of diffusers name them; it reads the first four itself."""


def repeated_blocks(denoiser: Any) -> list[Any]:
    """Return the blocks of a transformer in the order in which they run; none of a UNet."""
    lists = (
        part
        for name, part in denoiser.named_children()
        if name in NAMES and isinstance(part, torch.nn.ModuleList)
    )
    return [block for each in lists for block in each]


@contextmanager
def whole_outputs(denoiser: Any) -> Iterator[None]:
    """Let the last block return the text that it was given where it returns none, as that of SD3 does.

    The caches of diffusers take the difference of what goes in and comes out of both.
    """
    tail = repeated_blocks(denoiser)[-1]
    if not getattr(tail, "context_pre_only", False):
        yield
        return
    inner: Callable[..., Any] = tail.forward

    def forward(*args: Any, **kwargs: Any) -> Any:
        text, image = inner(*args, **kwargs)
        given = kwargs["encoder_hidden_states"] if "encoder_hidden_states" in kwargs else args[1]
        return given if text is None else text, image

    with replaced(tail, forward):
        yield


def known_blocks(denoiser: Any) -> list[Any]:
    """Return the blocks of a transformer if diffusers knows how they return their states, else none."""
    from diffusers.hooks._helpers import TransformerBlockRegistry

    register_blocks()
    blocks = repeated_blocks(denoiser)
    TransformerBlockRegistry._register()
    return blocks if all(type(block) in TransformerBlockRegistry._registry for block in blocks) else []


def output_index(block: Any) -> int:
    """Return where in a block's output the image's hidden states are."""
    from diffusers.hooks._helpers import TransformerBlockRegistry

    index: int = TransformerBlockRegistry.get(type(block)).return_hidden_states_index
    return index


def register_blocks() -> None:
    """Tell diffusers how the blocks of Sana and Chroma return their states and how those of Z-Image name them.

    Its table of blocks lacks them.
    """
    from diffusers.hooks._helpers import TransformerBlockMetadata, TransformerBlockRegistry
    from diffusers.models.transformers.sana_transformer import SanaTransformerBlock
    from diffusers.models.transformers.transformer_chroma import (
        ChromaSingleTransformerBlock,
        ChromaTransformerBlock,
    )
    from diffusers.models.transformers.transformer_z_image import ZImageTransformerBlock

    for block, metadata in (
        (SanaTransformerBlock, TransformerBlockMetadata(return_hidden_states_index=0)),
        (ChromaTransformerBlock, TransformerBlockMetadata(1, 0)),
        (ChromaSingleTransformerBlock, TransformerBlockMetadata(0)),
        (ZImageTransformerBlock, TransformerBlockMetadata(0, hidden_states_argument_name="x")),
    ):
        TransformerBlockRegistry.register(block, metadata)


def image_of(output: Any, index: int) -> torch.Tensor:
    """Return the image's hidden states of a block's output, at `index` where the output is a tuple."""
    states: torch.Tensor = output[index] if isinstance(output, tuple) else output
    return states
