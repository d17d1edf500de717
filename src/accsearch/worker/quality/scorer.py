"""Scorers of images against their prompts, by name; one is chosen by the configuration's `quality.model`."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch

from accsearch.config.schema import COMMAND_SCORER, LOCAL_SCORER, QualityConfig
from accsearch.demo import scorer_path
from accsearch.errors import AccsearchError
from accsearch.worker.blank_weights import BlankWeights
from accsearch.worker.hub import without_hub
from accsearch.worker.images import Images
from accsearch.worker.machine import Machine
from accsearch.worker.quality.command import CommandScorer

CHUNK = 16


class Scorer(Protocol):
    """Gives each image a score against its prompt; higher is better."""

    def texts(self, prompts: Sequence[str]) -> Any:
        """Return the prompts as `scores` takes them, one an item: features, or the texts; once a task."""
        ...

    def scores(self, images: Images, texts: Any) -> list[float]:
        """Return one score for each image."""
        ...

    def close(self) -> None:
        """Give up what scoring holds outside this process."""
        ...


class ClipScorer:
    """100 times the cosine between an open_clip model's features of image and prompt.

    Hessel et al.: CLIPScore, EMNLP 2021 (arXiv 2104.08718), without its factor 2.5 and its floor at 0.
    """

    def __init__(self, model: Any, preprocess: Any, tokenizer: Any, machine: Machine) -> None:
        self._model = model.eval()
        self._preprocess = preprocess
        self._tokenizer = tokenizer
        self._machine = machine

    @property
    def tokens(self) -> int:
        """The most tokens of a prompt that are read, special ones included."""
        return int(self._tokenizer.context_length)

    def cut_off(self, prompts: Sequence[str]) -> list[str]:
        """Return those of the prompts whose end is not read."""
        if not prompts:
            return []
        short = self._tokenizer(list(prompts))
        # With one token more room, the last token of what was cut is no longer the end mark.
        longer = self._tokenizer(list(prompts), context_length=self.tokens + 1)[:, : self.tokens]
        differs = (short != longer).any(dim=1).tolist()
        return [prompt for prompt, is_cut in zip(prompts, differs, strict=True) if is_cut]

    def texts(self, prompts: Sequence[str]) -> torch.Tensor:
        """Return normalised text features (prompts, width)."""
        parts = []
        with torch.inference_mode():
            for start in range(0, len(prompts), CHUNK):
                tokens = self._tokenizer(list(prompts[start : start + CHUNK])).to(self._machine.device)
                parts.append(self._model.encode_text(tokens, normalize=True).float())
        return torch.cat(parts)

    def scores(self, images: Images, texts: torch.Tensor) -> list[float]:
        """Return the score of each image against the text of the same number."""
        from PIL import Image

        found: list[float] = []
        with torch.inference_mode():
            for start in range(0, len(images.pixels), CHUNK):
                pixels = images.pixels[start : start + CHUNK].permute(0, 2, 3, 1).numpy()
                batch = torch.stack([self._preprocess(Image.fromarray(image)) for image in pixels])
                features = self._model.encode_image(batch.to(self._machine.device), normalize=True).float()
                found += (100 * (features * texts[start : start + CHUNK]).sum(dim=1)).tolist()
        return found

    def close(self) -> None:
        """Nothing is held."""


class NoScorer:
    """Stands in where only speed is asked for: it scores nothing."""

    def texts(self, prompts: Sequence[str]) -> torch.Tensor:
        """Return no features."""
        return torch.empty(0)

    def scores(self, images: Images, texts: torch.Tensor) -> list[float]:
        """Return no score."""
        return []

    def close(self) -> None:
        """Nothing is held."""


def load_scorer(quality: QualityConfig | None, machine: Machine) -> Scorer:
    """Return the scorer that the configuration names."""
    if quality is None:
        return NoScorer()
    loader = next(load for beginning, load in SCORERS.items() if quality.model.startswith(beginning))
    return loader(quality, machine)


def _open_clip(quality: QualityConfig, machine: Machine) -> Scorer:
    """Load a model that open_clip knows, or from a folder of its own."""
    import open_clip

    try:
        # It loads strictly: every parameter is in the file.
        with BlankWeights():
            model, preprocess = open_clip.create_model_from_pretrained(
                quality.model, pretrained=quality.pretrained, device=machine.device
            )
    except (OSError, RuntimeError) as error:
        # What is no download that failed, as too little memory, is for others to judge.
        if quality.model.startswith(LOCAL_SCORER) or "download" not in str(error).lower():
            raise
        said = " ".join(str(error).split())
        name = f"quality.model: {quality.model}"
        raise AccsearchError(f"{name} cannot be loaded ({without_hub('scorer')}): {said}") from error
    return ClipScorer(model, preprocess, open_clip.get_tokenizer(quality.model), machine)


def _demo(_quality: QualityConfig, machine: Machine) -> Scorer:
    return _open_clip(QualityConfig(model=f"{LOCAL_SCORER}{scorer_path()}"), machine)


def _tiny(_quality: QualityConfig, machine: Machine) -> Scorer:
    from accsearch.demo.tiny import build_tiny_scorer

    with tempfile.TemporaryDirectory(prefix="accsearch-") as folder:
        built = build_tiny_scorer(Path(folder) / "scorer")
        return _open_clip(QualityConfig(model=f"{LOCAL_SCORER}{built}"), machine)


def _command(quality: QualityConfig, _machine: Machine) -> Scorer:
    return CommandScorer(quality.command, quality.timeout)


SCORERS: Mapping[str, Callable[[QualityConfig, Machine], Scorer]] = {
    "builtin:demo": _demo,
    "builtin:tiny": _tiny,
    COMMAND_SCORER: _command,
    "": _open_clip,
}
"""How `quality.model` begins → what loads it; the first that fits is taken."""
