"""The architectures of the demo: scorer, text encoder, autoencoder, UNet and noise schedule."""

import copy
from typing import Any

import open_clip
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

from accsearch.demo import TINY_SCHEDULER
from accsearch.demo.scenes import IMAGE_SIZE, MAX_LENGTH, words
from accsearch.demo.vocabulary import build_tokenizer

TEXT_WIDTH = 128
TEXT_LAYERS = 4
TEXT_HEADS = 4
LATENT_CHANNELS = 4
LATENT_SIZE = 16
NOISE_SCHEDULE = {"num_train_timesteps": 1000, **TINY_SCHEDULER}


def make_tokenizer() -> Any:
    """Build the tokenizer whose words are the captions' words."""
    return build_tokenizer(words(), MAX_LENGTH)


def scorer_architecture(vocabulary_size: int) -> dict[str, Any]:
    """Return the open_clip architecture of the scorer: a ViT of 64 patches and a causal text encoder."""
    return {
        "embed_dim": TEXT_WIDTH,
        "vision_cfg": {
            "image_size": IMAGE_SIZE,
            "patch_size": 8,
            "width": 128,
            "layers": 6,
            "head_width": 32,
        },
        "text_cfg": {
            "context_length": MAX_LENGTH,
            "vocab_size": vocabulary_size,
            "width": TEXT_WIDTH,
            "heads": TEXT_HEADS,
            "layers": TEXT_LAYERS,
            "hf_tokenizer_name": "tokenizer",
        },
    }


def build_scorer(vocabulary_size: int) -> Any:
    """Build the scorer with random weights."""
    return open_clip.CLIP(**scorer_architecture(vocabulary_size))


def build_autoencoder() -> Any:
    """Build the autoencoder: 64 px images to latents of 4 x 16 x 16."""
    return AutoencoderKL(
        sample_size=IMAGE_SIZE,
        block_out_channels=(32, 64, 64),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=8,
    )


def build_unet() -> Any:
    """Build the UNet: three levels, each with self- and cross-attention."""
    return UNet2DConditionModel(
        sample_size=LATENT_SIZE,
        block_out_channels=(32, 64, 96),
        down_block_types=("CrossAttnDownBlock2D",) * 3,
        up_block_types=("CrossAttnUpBlock2D",) * 3,
        layers_per_block=2,
        attention_head_dim=(1, 2, 3),
        cross_attention_dim=TEXT_WIDTH,
        norm_num_groups=8,
    )


def build_noise_schedule() -> Any:
    """Build the scheduler of the saved pipeline, with Stable Diffusion's noise levels."""
    return DDIMScheduler(**NOISE_SCHEDULE)


class TextEncoder(nn.Module):
    """The text half of an open_clip model that returns every token's state, for training.

    It is the plain torch code that a CUDA graph can capture; `as_clip_text_model` gives what is saved.
    """

    def __init__(self, scorer: Any) -> None:
        super().__init__()
        self.token_embedding = copy.deepcopy(scorer.token_embedding)
        self.positional_embedding = nn.Parameter(scorer.positional_embedding.detach().clone())
        self.transformer = copy.deepcopy(scorer.transformer)
        self.ln_final = copy.deepcopy(scorer.ln_final)
        self.register_buffer("mask", scorer.attn_mask.clone(), persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map token ids (count, length) to states (count, length, TEXT_WIDTH)."""
        embedded = self.token_embedding(tokens) + self.positional_embedding
        states: Tensor = self.ln_final(self.transformer(embedded, attn_mask=self.mask))
        return states


def as_clip_text_model(encoder: TextEncoder, tokenizer: Any) -> Any:
    """Convert a trained text encoder to the transformers class that pipelines hold."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=TEXT_WIDTH,
        intermediate_size=4 * TEXT_WIDTH,
        num_hidden_layers=TEXT_LAYERS,
        num_attention_heads=TEXT_HEADS,
        max_position_embeddings=MAX_LENGTH,
        projection_dim=TEXT_WIDTH,
        hidden_act="gelu",
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = CLIPTextModel(config)
    own = encoder.state_dict()
    renamed = {
        "embeddings.token_embedding.weight": own["token_embedding.weight"],
        "embeddings.position_embedding.weight": own["positional_embedding"],
        "final_layer_norm.weight": own["ln_final.weight"],
        "final_layer_norm.bias": own["ln_final.bias"],
    }
    for layer in range(TEXT_LAYERS):
        source, target = f"transformer.resblocks.{layer}.", f"encoder.layers.{layer}."
        for kind in ("weight", "bias"):
            joined = own[f"{source}attn.in_proj_{kind}"].chunk(3)
            for name, part in zip("qkv", joined, strict=True):
                renamed[f"{target}self_attn.{name}_proj.{kind}"] = part
            renamed[f"{target}self_attn.out_proj.{kind}"] = own[f"{source}attn.out_proj.{kind}"]
            renamed[f"{target}layer_norm1.{kind}"] = own[f"{source}ln_1.{kind}"]
            renamed[f"{target}layer_norm2.{kind}"] = own[f"{source}ln_2.{kind}"]
            renamed[f"{target}mlp.fc1.{kind}"] = own[f"{source}mlp.c_fc.{kind}"]
            renamed[f"{target}mlp.fc2.{kind}"] = own[f"{source}mlp.c_proj.{kind}"]
    # transformers 4 keeps these weights one level deeper than transformers 5.
    prefix = "text_model." if any(key.startswith("text_model.") for key in model.state_dict()) else ""
    loaded = model.load_state_dict(
        {prefix + key: value.float() for key, value in renamed.items()}, strict=False
    )
    missing = [key for key in loaded.missing_keys if not key.endswith("position_ids")]
    if missing or loaded.unexpected_keys:
        raise RuntimeError(f"The text encoder does not convert: {missing} {loaded.unexpected_keys}")
    return model.eval()


def autoencoder_encode(autoencoder: Any, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean and log-variance (count, 4, 16, 16) of the images' latents."""
    moments = autoencoder.quant_conv(autoencoder.encoder(images))
    mean, log_variance = moments.chunk(2, dim=1)
    return mean, log_variance.clamp(-30, 20)


def resumed(module: Any, state: dict[str, Tensor] | None) -> Any:
    """Load a stage's saved weights, where there are any."""
    if state is not None:
        loaded = module.load_state_dict({key: value.float() for key, value in state.items()}, strict=False)
        # A weight that two names share is saved under the first.
        missing = set(loaded.missing_keys).intersection(name for name, _ in module.named_parameters())
        if missing or loaded.unexpected_keys:
            raise RuntimeError(f"saved weights do not fit: {sorted(missing)} {loaded.unexpected_keys}")
    return module
