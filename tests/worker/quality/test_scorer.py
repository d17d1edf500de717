"""The CLIP score against the model itself."""

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch.overrides import TorchFunctionMode

from accsearch.config.schema import QualityConfig
from accsearch.config.sources import BUILTIN_SCORERS
from accsearch.worker.images import Images
from accsearch.worker.machine import Machine, choose_machine
from accsearch.worker.quality.scorer import SCORERS, load_scorer

PROMPTS = ["a red cat", "a blue house", "the large tree"]


def noise() -> Images:
    source = torch.Generator().manual_seed(2)
    return Images(torch.randint(0, 256, (3, 3, 40, 40), generator=source, dtype=torch.uint8))


def test_the_score_is_a_hundred_times_the_cosine(tiny_paths: dict[str, Path]) -> None:
    import open_clip

    name = f"local-dir:{tiny_paths['scorer']}"
    model, preprocess = open_clip.create_model_from_pretrained(name)
    scorer = load_scorer(QualityConfig(model=name), choose_machine("cpu", "float32"))
    images = noise()

    scores = scorer.scores(images, scorer.texts(PROMPTS))

    for number, prompt in enumerate(PROMPTS):
        image = preprocess(Image.fromarray(images.pixels[number].permute(1, 2, 0).numpy()))[None]
        with torch.inference_mode():
            one = model.eval().encode_image(image)[0]
            other = model.encode_text(open_clip.get_tokenizer(name)([prompt]))[0]
        expected = 100 * torch.nn.functional.cosine_similarity(one, other, dim=0)
        assert scores[number] == pytest.approx(float(expected), abs=1e-3)


class Called(TorchFunctionMode):
    """Keeps the names of the functions that are called within it."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.add(func.__name__)
        return func(*args, **(kwargs or {}))


def test_no_random_weights_are_drawn_for_a_model_that_is_loaded(tiny_paths: dict[str, Path]) -> None:
    with Called() as called:
        load_scorer(
            QualityConfig(model=f"local-dir:{tiny_paths['scorer']}"), choose_machine("cpu", "float32")
        )

    assert called.names & {"normal_", "uniform_", "kaiming_uniform_"} == set()
    assert "copy_" in called.names


@pytest.mark.parametrize("model", BUILTIN_SCORERS)
def test_each_built_in_scorer_loads_by_its_own_entry(model: str) -> None:
    assert model in SCORERS

    scorer = load_scorer(QualityConfig(model=model), choose_machine("cpu", "float32"))

    assert len(scorer.scores(noise(), scorer.texts(PROMPTS))) == 3


def test_an_entry_of_the_table_is_found_by_how_the_name_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    class Brightness:
        def __init__(self, quality: QualityConfig, _machine: Machine) -> None:
            self.name = quality.model

    monkeypatch.setattr("accsearch.worker.quality.scorer.SCORERS", {"mine:": Brightness, **SCORERS})

    scorer = load_scorer(QualityConfig(model="mine:bright"), choose_machine("cpu", "float32"))

    assert isinstance(scorer, Brightness) and scorer.name == "mine:bright"
