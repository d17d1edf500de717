import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from accsearch.demo.operators import register_torchvision_operators  # noqa: E402
from accsearch.demo.scenes import ALL_PAIRS, MAX_LENGTH, SceneSpace, caption  # noqa: E402

register_torchvision_operators()

from demo_training.flux_models import (  # noqa: E402
    TokenTranslation,
    build_transformer,
    make_t5_tokenizer,
    packed,
    positions,
)
from demo_training.models import (  # noqa: E402
    TextEncoder,
    as_clip_text_model,
    build_scorer,
    make_tokenizer,
)
from demo_training.transformer import pooled  # noqa: E402
from diffusers import FluxPipeline  # noqa: E402

CPU = torch.device("cpu")


def test_patches_and_their_positions_are_those_of_the_pipeline() -> None:
    latents = torch.randn(3, 4, 16, 16)

    assert torch.equal(packed(latents), FluxPipeline._pack_latents(latents, 3, 4, 16, 16))
    wanted = FluxPipeline._prepare_latent_image_ids(3, 8, 8, CPU, torch.float32)
    assert torch.equal(positions(CPU)[1], wanted)


def test_translated_tokens_are_those_that_the_t5_tokenizer_gives_the_captions() -> None:
    torch.manual_seed(0)
    tokenizer, t5_tokenizer = make_tokenizer(), make_t5_tokenizer()
    space = SceneSpace(ALL_PAIRS, tokenizer, CPU)
    scenes = space.sample(64)
    translation = TokenTranslation(tokenizer, t5_tokenizer, CPU)

    captions = [*(caption(scene) for scene in scenes.tolist()), ""]
    wanted = t5_tokenizer(
        captions, padding="max_length", max_length=MAX_LENGTH, return_tensors="pt"
    ).input_ids

    found = translation(torch.cat([space.tokens(scenes), space.empty_tokens[None]]))
    assert torch.equal(found, wanted)


def test_unknown_words_are_spelt() -> None:
    tokenizer = make_t5_tokenizer()

    assert tokenizer.tokenize("a red Zebra") == ["▁a", "▁red", "▁", "Z", "e", "b", "r", "a"]


def test_the_state_that_training_uses_is_what_the_saved_clip_returns() -> None:
    torch.manual_seed(0)
    tokenizer = make_tokenizer()
    clip = TextEncoder(build_scorer(len(tokenizer))).eval()
    space = SceneSpace(ALL_PAIRS, tokenizer, CPU)
    tokens = torch.cat([space.tokens(space.sample(4)), space.empty_tokens[None]])

    with torch.inference_mode():
        wanted = as_clip_text_model(clip, tokenizer)(tokens).pooler_output

        assert torch.allclose(pooled(clip, tokens, tokenizer.eos_token_id).float(), wanted, atol=2e-3)


def test_every_block_starts_as_the_identity() -> None:
    torch.manual_seed(0)
    transformer = build_transformer()
    block = transformer.single_transformer_blocks[0]
    image, text, embedding = torch.randn(1, 64, 128), torch.randn(1, MAX_LENGTH, 128), torch.randn(1, 128)

    with torch.inference_mode():
        text_after, image_after = block(image, text, embedding)

    assert torch.equal(image_after, image) and torch.equal(text_after, text)
