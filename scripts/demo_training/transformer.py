"""The diffusion transformer and its T5 encoder, trained together on a pool of encoded scenes.

Flow matching (https://arxiv.org/abs/2210.02747): latents at noise level s are (1 - s) * latents + s * noise, and the
transformer predicts their velocity, noise - latents.
"""

import torch
from torch import Tensor

from accsearch.demo.scenes import TRAINING_PAIRS, SceneSpace
from demo_training.denoiser import pool_of_scenes
from demo_training.flux_models import (
    TokenTranslation,
    build_t5_encoder,
    build_transformer,
    make_t5_tokenizer,
    packed,
    positions,
)
from demo_training.models import TextEncoder, build_scorer, make_tokenizer, resumed
from demo_training.optimisation import Optimiser, capture
from demo_training.stage import Options, train

BATCH = 256
POOL_CHUNK = 4096
PEAK_RATE = 1e-3
RESUMED_RATE = 5e-4
EMPTY_CAPTIONS = 0.1
EMPTY_MEANINGS = 0.2
"""Share of captions that are given without CLIP's state, so that the states of T5 are learned as well."""
SHIFT = 1.6
"""How FLUX's schedule shifts the noise levels of 64 patches: exp(0.4675)."""
LARGEST_GUIDANCE = 6.0
GUIDED_SHARE = 0.25


def train_transformer(options: Options) -> None:
    """Train the transformer to predict velocities, for a part of each batch those that guidance would lead to.

    That part is given a guidance scale w as an input and learns noise - latents + (w - 1) * (own prediction with the
    caption - own prediction without), so that one call later does the work of two (https://arxiv.org/abs/2210.03142,
    with the student as its own teacher). CLIP stays as the scorer has it: its state at a caption's end says all that
    the scene holds.
    """
    torch.manual_seed(options.seed)
    device = options.device
    tokenizer, t5_tokenizer = make_tokenizer(), make_t5_tokenizer()
    clip = TextEncoder(resumed(build_scorer(len(tokenizer)), options.require("scorer"))).to(device)
    t5 = resumed(build_t5_encoder(len(t5_tokenizer)), options.require("t5"))
    state = options.load("transformer")
    transformer = resumed(build_transformer(), state)
    space = SceneSpace(TRAINING_PAIRS, tokenizer, device)
    translation = TokenTranslation(tokenizer, t5_tokenizer, device)
    latents_pool, tokens_pool = pool_of_scenes(options, space)
    patches_pool = packed(latents_pool)
    meanings_pool = torch.cat(
        [
            pooled(clip, tokens.long(), tokenizer.eos_token_id)
            for tokens in torch.split(tokens_pool, POOL_CHUNK)
        ]
    )
    empty_meaning = pooled(clip, space.empty_tokens[None], tokenizer.eos_token_id)
    optimiser = Optimiser([transformer, t5], 0.999, device)
    text_ids, image_ids = positions(device)
    count = options.scaled(BATCH)
    guided = int(count * GUIDED_SHARE)
    no_guidance = torch.ones(count, device=device)
    exact: list[Tensor] = []
    # FLUX rounds both to the type of the weights; bfloat16 knows only every fourth timestep near 1000.
    transformer.time_text_embed.register_forward_pre_hook(lambda _module, given: (*exact, given[-1]))

    def predict(
        patches: Tensor, levels: Tensor, guidance: Tensor, states: Tensor, meanings: Tensor
    ) -> Tensor:
        exact[:] = [1000 * levels, 1000 * guidance]
        velocity: Tensor = transformer(
            hidden_states=patches.to(optimiser.dtype),
            encoder_hidden_states=states,
            pooled_projections=meanings.to(optimiser.dtype),
            timestep=levels,
            guidance=guidance,
            txt_ids=text_ids,
            img_ids=image_ids,
            return_dict=False,
        )[0]
        return velocity.float()

    def step() -> Tensor:
        chosen = torch.randint(len(patches_pool), (count,), device=device)
        clean = patches_pool[chosen].float()
        empty = torch.rand(count, 1, device=device) < EMPTY_CAPTIONS
        tokens = torch.where(empty, space.empty_tokens, tokens_pool[chosen].long())
        alone = empty | (torch.rand(count, 1, device=device) < EMPTY_MEANINGS)
        meanings = torch.where(alone, empty_meaning, meanings_pool[chosen])
        levels = torch.rand(count, device=device)
        levels = SHIFT * levels / (1 + (SHIFT - 1) * levels)
        noise = torch.randn_like(clean)
        patches = torch.lerp(clean, noise, levels[:, None, None])
        states = t5(translation(tokens))[0]
        guidance = no_guidance.clone()
        guidance[:guided] += (LARGEST_GUIDANCE - 1) * torch.rand(guided, device=device)
        with torch.no_grad():
            empty_states = t5(translation(space.empty_tokens[None]))[0]
            captioned, uncaptioned = predict(
                patches[:guided].repeat(2, 1, 1),
                levels[:guided].repeat(2),
                no_guidance[: 2 * guided],
                torch.cat([states[:guided], empty_states.expand(guided, -1, -1)]),
                torch.cat([meanings[:guided], empty_meaning.expand(guided, -1)]),
            ).chunk(2)
        velocity = noise - clean
        velocity[:guided] += (guidance[:guided] - 1)[:, None, None] * (captioned - uncaptioned)
        errors = (predict(patches, levels, guidance, states, meanings) - velocity).square()
        loss = errors.mean()
        optimiser.update(loss)
        return torch.stack([loss.detach(), errors[guided:].detach().mean()])

    def save() -> None:
        options.save("transformer", optimiser.averaged_state(transformer))
        options.save("t5", optimiser.averaged_state(t5))

    train(
        "transformer",
        options,
        optimiser,
        capture(step, device, options.eager),
        ("loss", "velocity_error"),
        PEAK_RATE if state is None else RESUMED_RATE,
        save,
    )


@torch.no_grad()
def pooled(clip: TextEncoder, tokens: Tensor, end: int) -> Tensor:
    """Return the state (count, width) at the first end of each row, as CLIPTextModel does."""
    ends = (tokens == end).int().argmax(dim=1)
    states: Tensor = clip(tokens)
    return states[torch.arange(len(tokens), device=tokens.device), ends].half()
