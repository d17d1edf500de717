"""Stage 3: the UNet and its text encoder, trained together on a pool of encoded scenes."""

from typing import Any

import torch
from torch import Tensor

from accsearch.demo.rendering import Renderer
from accsearch.demo.scenes import TRAINING_PAIRS, SceneSpace
from demo_training.models import (
    TextEncoder,
    autoencoder_encode,
    build_autoencoder,
    build_noise_schedule,
    build_scorer,
    build_unet,
    make_tokenizer,
    resumed,
)
from demo_training.optimisation import Optimiser, capture
from demo_training.stage import Options, train

BATCH = 384
POOL = 2**19
POOL_CHUNK = 2048
SCALE_SCENES = 64
PEAK_RATE = 8e-4
RESUMED_RATE = 5e-4
EMPTY_CAPTIONS = 0.1
LARGEST_SNR_WEIGHT = 5.0


def train_denoiser(options: Options) -> None:
    """Train the UNet to predict noise, weighted by min-SNR (https://arxiv.org/abs/2303.09556)."""
    torch.manual_seed(options.seed)
    device = options.device
    tokenizer = make_tokenizer()
    scorer = resumed(build_scorer(len(tokenizer)), options.require("scorer"))
    encoder = TextEncoder(scorer)
    resumed(encoder, options.load("text"))
    state = options.load("unet")
    unet = resumed(build_unet(), state)
    space = SceneSpace(TRAINING_PAIRS, tokenizer, device)
    latents_pool, tokens_pool = pool_of_scenes(options, space)
    optimiser = Optimiser([unet, encoder], 0.999, device)
    remaining = build_noise_schedule().alphas_cumprod.to(device)
    snr = remaining / (1 - remaining)
    weights = snr.clamp(max=LARGEST_SNR_WEIGHT) / snr
    signal, spread = remaining.sqrt(), (1 - remaining).sqrt()
    count = options.scaled(BATCH)

    def step() -> Tensor:
        chosen = torch.randint(len(latents_pool), (count,), device=device)
        latents = latents_pool[chosen].float()
        without_caption = torch.rand(count, 1, device=device) < EMPTY_CAPTIONS
        tokens = torch.where(without_caption, space.empty_tokens, tokens_pool[chosen].long())
        times = torch.randint(len(remaining), (count,), device=device)
        noise = torch.randn_like(latents)
        noisy = signal[times, None, None, None] * latents + spread[times, None, None, None] * noise
        predicted = unet(noisy.to(optimiser.dtype), times, encoder(tokens), return_dict=False)[0]
        errors = (predicted.float() - noise).square().mean(dim=(1, 2, 3))
        loss = (errors * weights[times]).mean()
        optimiser.update(loss)
        return torch.stack([loss.detach(), errors.detach().mean()])

    def save() -> None:
        options.save("unet", optimiser.averaged_state(unet))
        options.save("text", optimiser.averaged_state(encoder))

    train(
        "unet",
        options,
        optimiser,
        capture(step, device, options.eager),
        ("loss", "noise_error"),
        PEAK_RATE if state is None else RESUMED_RATE,
        save,
    )


def latent_scale(autoencoder: Any, seed: int) -> float:
    """Measure, on the CPU so that it repeats, the factor that brings training latents to unit variance."""
    cpu = torch.device("cpu")
    torch.manual_seed(seed)
    scenes = SceneSpace(TRAINING_PAIRS, make_tokenizer(), cpu).sample(SCALE_SCENES)
    return 1.0 / float(_encode(autoencoder, Renderer(cpu).render(scenes)).std())


def pool_of_scenes(options: Options, space: SceneSpace) -> tuple[Tensor, Tensor]:
    """Encode many scenes once: the scaled means of their latents and their captions' tokens."""
    autoencoder = resumed(build_autoencoder(), options.require("vae")).eval()
    scale = latent_scale(autoencoder, options.seed)
    # What ships is float16 too.
    dtype = torch.float16 if options.device.type == "cuda" else torch.float32
    autoencoder.to(options.device, dtype)
    torch.manual_seed(options.seed + 1)
    renderer = Renderer(options.device)
    latents, tokens = [], []
    for _ in range(max(1, options.scaled(POOL) // POOL_CHUNK)):
        scenes = space.sample(options.scaled(POOL_CHUNK))
        latents.append((_encode(autoencoder, renderer.render(scenes).to(dtype)) * scale).half())
        tokens.append(space.tokens(scenes).short())
    return torch.cat(latents), torch.cat(tokens)


@torch.no_grad()
def _encode(autoencoder: Any, images: Tensor) -> Tensor:
    return autoencoder_encode(autoencoder, images)[0]
