"""The T5 encoder's start: it learns the scorer's states of each caption, so that its words mean something at once."""

import torch
from torch import Tensor
from torch.nn import functional

from accsearch.demo.scenes import TRAINING_PAIRS, SceneSpace
from demo_training.flux_models import TokenTranslation, build_t5_encoder, make_t5_tokenizer
from demo_training.models import TextEncoder, build_scorer, make_tokenizer, resumed
from demo_training.optimisation import Optimiser, capture
from demo_training.stage import Options, train

BATCH = 512
PEAK_RATE = 2e-3
RESUMED_RATE = 5e-4
EMPTY_CAPTIONS = 0.02


def train_t5(options: Options) -> None:
    """Train the encoder to give each token the state that the scorer's text encoder has at the same word."""
    torch.manual_seed(options.seed)
    device = options.device
    tokenizer, t5_tokenizer = make_tokenizer(), make_t5_tokenizer()
    teacher = TextEncoder(resumed(build_scorer(len(tokenizer)), options.require("scorer"))).to(device)
    state = options.load("t5")
    t5 = resumed(build_t5_encoder(len(t5_tokenizer)), state)
    space = SceneSpace(TRAINING_PAIRS, tokenizer, device)
    translation = TokenTranslation(tokenizer, t5_tokenizer, device)
    optimiser = Optimiser([t5], 0.998, device)
    count = options.scaled(BATCH)

    def step() -> Tensor:
        tokens = space.tokens(space.sample(count))
        tokens = torch.where(torch.rand(count, 1, device=device) < EMPTY_CAPTIONS, space.empty_tokens, tokens)
        with torch.no_grad():
            states = teacher(tokens)
        # T5 has no token at the start, and one more of padding.
        wanted = torch.cat([states[:, 1:], states[:, -1:]], dim=1)
        loss = functional.mse_loss(t5(translation(tokens))[0].float(), wanted)
        optimiser.update(loss)
        return torch.stack([loss.detach(), (loss / wanted.var()).detach()])

    train(
        "t5",
        options,
        optimiser,
        capture(step, device, options.eager),
        ("loss", "share_of_variance"),
        PEAK_RATE if state is None else RESUMED_RATE,
        lambda: options.save("t5", optimiser.averaged_state(t5)),
    )
