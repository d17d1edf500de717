"""Stage 2: the autoencoder between 64 px images and latents of 4 x 16 x 16."""

import torch
from torch import Tensor
from torch.nn import functional

from accsearch.demo.rendering import Renderer
from accsearch.demo.scenes import TRAINING_PAIRS, SceneSpace
from demo_training.models import autoencoder_encode, build_autoencoder, make_tokenizer, resumed
from demo_training.optimisation import Optimiser, capture
from demo_training.stage import Options, train

BATCH = 256
PEAK_RATE = 1e-3
RESUMED_RATE = 5e-4
# Enough to hold the latents near a unit normal; more would cost sharpness.
DIVERGENCE_WEIGHT = 2e-4


def train_autoencoder(options: Options) -> None:
    """Train the autoencoder by reconstruction, with a slight pull of the latents to a unit normal."""
    torch.manual_seed(options.seed)
    device = options.device
    state = options.load("vae")
    autoencoder = resumed(build_autoencoder(), state)
    optimiser = Optimiser([autoencoder], 0.998, device)
    space = SceneSpace(TRAINING_PAIRS, make_tokenizer(), device)
    renderer = Renderer(device)
    count = options.scaled(BATCH)

    def step() -> Tensor:
        images = renderer.render(space.sample(count))
        mean, log_variance = autoencoder_encode(autoencoder, images.to(optimiser.dtype))
        mean, log_variance = mean.float(), log_variance.float()
        latents = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        decoded = autoencoder.decoder(autoencoder.post_quant_conv(latents.to(optimiser.dtype))).float()
        squared = functional.mse_loss(decoded, images)
        absolute = functional.l1_loss(decoded, images)
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
        loss = absolute + 2 * squared + DIVERGENCE_WEIGHT * divergence
        optimiser.update(loss)
        psnr = 10 * torch.log10(4 / squared.detach())
        return torch.stack([loss.detach(), psnr, divergence.detach()])

    train(
        "vae",
        options,
        optimiser,
        capture(step, device, options.eager),
        ("loss", "psnr", "divergence"),
        PEAK_RATE if state is None else RESUMED_RATE,
        lambda: options.save("vae", optimiser.averaged_state(autoencoder)),
    )
