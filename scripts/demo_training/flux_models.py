"""The architectures of the diffusion transformer: FLUX's classes, small; its T5 encoder and that one's tokenizer."""

from string import printable
from typing import Any

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, FluxTransformer2DModel
from torch import Tensor, nn
from transformers import T5Config, T5EncoderModel, T5Tokenizer

from accsearch.demo.scenes import MAX_LENGTH, words
from demo_training.models import LATENT_CHANNELS, LATENT_SIZE, TEXT_WIDTH

HEAD_WIDTH = 32
HEADS = 4
ROTARY_WIDTHS = (8, 12, 12)  # of a head: index of the image, row, column
DOUBLE_BLOCKS = 2
SINGLE_BLOCKS = 9
PATCH = 2
WORD_SCORE, CHARACTER_SCORE = -1.0, -10.0


def build_transformer() -> Any:
    """Build the transformer for 64 patches of 2 x 2 latents; each block starts as the identity."""
    transformer = FluxTransformer2DModel(
        patch_size=1,
        in_channels=LATENT_CHANNELS * PATCH**2,
        num_layers=DOUBLE_BLOCKS,
        num_single_layers=SINGLE_BLOCKS,
        attention_head_dim=HEAD_WIDTH,
        num_attention_heads=HEADS,
        joint_attention_dim=TEXT_WIDTH,
        pooled_projection_dim=TEXT_WIDTH,
        guidance_embeds=True,
        axes_dims_rope=ROTARY_WIDTHS,
    )
    # A modulation of zero closes the gates (adaLN-Zero, https://arxiv.org/abs/2212.09748, section 3.2).
    modulations = [
        module.linear for module in transformer.modules() if type(module).__name__.startswith("AdaLayerNorm")
    ]
    for layer in (*modulations, transformer.proj_out):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    return transformer


def build_flow_schedule() -> Any:
    """Build the scheduler of the saved pipeline, with FLUX.1-dev's shift of the noise levels."""
    return FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)


def make_t5_tokenizer() -> Any:
    """Build a tokenizer in which each word of the captions is one token and other text is spelt in characters."""
    characters = [each for each in printable if not each.isspace()]
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", CHARACTER_SCORE)]
    pieces += [(f"▁{word}", WORD_SCORE) for word in words()]
    pieces += [(each, CHARACTER_SCORE) for each in characters]
    return T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=MAX_LENGTH)


def build_t5_encoder(vocabulary_size: int) -> Any:
    """Build the text encoder whose states the transformer attends to, of the shape of T5 v1.1."""
    config = T5Config(
        vocab_size=vocabulary_size,
        d_model=TEXT_WIDTH,
        d_kv=HEAD_WIDTH,
        d_ff=2 * TEXT_WIDTH,
        num_layers=3,
        num_heads=HEADS,
        relative_attention_max_distance=MAX_LENGTH,
        dropout_rate=0.0,
        feed_forward_proj="gated-gelu",
    )
    return T5EncoderModel(config)


class TokenTranslation:
    """Turns the ids of the CLIP tokenizer's rows, as a scene space makes them, into those of the T5 tokenizer's."""

    def __init__(self, clip_tokenizer: Any, t5_tokenizer: Any, device: torch.device) -> None:
        self._table = torch.full((len(clip_tokenizer),), t5_tokenizer.unk_token_id, device=device)
        for word in words():
            place = clip_tokenizer.convert_tokens_to_ids(f"{word}</w>")
            self._table[place] = t5_tokenizer.convert_tokens_to_ids(f"▁{word}")
        self._clip_end = clip_tokenizer.eos_token_id
        self._end, self._pad = t5_tokenizer.eos_token_id, t5_tokenizer.pad_token_id

    def __call__(self, tokens: Tensor) -> Tensor:
        """Return the rows (count, MAX_LENGTH) without the start, with one end and padding in place of CLIP's ends."""
        rows = torch.cat([tokens[:, 1:], tokens.new_full((len(tokens), 1), self._clip_end)], dim=1)
        ends = rows == self._clip_end
        closing = torch.where(ends.cumsum(1) == 1, self._end, self._pad)
        return torch.where(ends, closing, self._table[rows])


def packed(latents: Tensor) -> Tensor:
    """Cut latents (count, 4, 16, 16) into patches (count, 64, 16), as FluxPipeline does."""
    count, channels, height, width = latents.shape
    cut = latents.view(count, channels, height // PATCH, PATCH, width // PATCH, PATCH)
    return cut.permute(0, 2, 4, 1, 3, 5).reshape(count, height * width // PATCH**2, channels * PATCH**2)


def positions(device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the positions of the text's tokens, all zero, and of the patches: 0, row, column."""
    side = torch.arange(LATENT_SIZE // PATCH, dtype=torch.float32, device=device)
    rows, columns = torch.meshgrid(side, side, indexing="ij")
    image = torch.stack([torch.zeros_like(rows), rows, columns], dim=-1).reshape(-1, 3)
    return torch.zeros(MAX_LENGTH, 3, device=device), image
