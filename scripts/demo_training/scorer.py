"""Stage 1: a CLIP of its own size, trained on rendered scenes and their captions."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from accsearch.demo.rendering import Renderer
from accsearch.demo.scenes import TRAINING_PAIRS, SceneSpace
from demo_training.models import build_scorer, make_tokenizer, resumed
from demo_training.optimisation import Optimiser, capture
from demo_training.stage import Options, train

BATCH = 1024
PEAK_RATE = 1e-3
RESUMED_RATE = 5e-4
LARGEST_NOISE = 0.1
HIGHEST_LOGIT_SCALE = math.log(100)


def train_scorer(options: Options, name: str = "scorer") -> None:
    """Train the scorer, or under another name and seed the judge that checks it."""
    torch.manual_seed(options.seed)
    device = options.device
    tokenizer = make_tokenizer()
    state = options.load(name)
    scorer = resumed(build_scorer(len(tokenizer)), state)
    optimiser = Optimiser([scorer], 0.998, device)
    space = SceneSpace(TRAINING_PAIRS, tokenizer, device)
    renderer = Renderer(device)
    count = options.scaled(BATCH) // 2

    def step() -> Tensor:
        first = space.sample(count)
        # Half of the batch are near misses of the other half: one attribute changed, or objects exchanged.
        scenes = torch.cat([first, space.mutate(first)])
        images = renderer.render(scenes)
        noise = torch.rand(len(scenes), 1, 1, 1, device=device) * LARGEST_NOISE
        images = (images + noise * torch.randn_like(images)).to(optimiser.dtype)
        pictures = functional.normalize(scorer.encode_image(images).float(), dim=-1)
        texts = functional.normalize(scorer.encode_text(space.tokens(scenes)).float(), dim=-1)
        scale = scorer.logit_scale.float().clamp(max=HIGHEST_LOGIT_SCALE).exp()
        logits = scale * pictures @ texts.T
        meanings = space.meanings(scenes)
        same = (meanings[:, None] == meanings[None, :]).float()
        targets = same / same.sum(dim=1, keepdim=True)
        loss = (functional.cross_entropy(logits, targets) + functional.cross_entropy(logits.T, targets)) / 2
        optimiser.update(loss)
        right = same.gather(1, logits.argmax(dim=1, keepdim=True)).mean()
        return torch.stack([loss.detach(), right])

    train(
        name,
        options,
        optimiser,
        capture(step, device, options.eager),
        ("loss", "accuracy"),
        PEAK_RATE if state is None else RESUMED_RATE,
        lambda: options.save(name, optimiser.averaged_state(scorer)),
    )
