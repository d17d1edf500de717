"""The embedded FLUX pipeline loads without a network, draws what captions say and fits its limits."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from accsearch.config.models import ModelInfo, resolve_model
from accsearch.demo import captions_path, demo_path, scorer_path
from accsearch.worker.machine import Machine
from accsearch.worker.pipelines import load_pipeline
from accsearch.worker.text_window import text_windows
from accsearch.worker.workload import Workload

DIT = demo_path() / "dit"
WANTED = json.loads(
    (Path(__file__).parents[2] / "scripts/demo_training/acceptance.json").read_text(encoding="utf-8")
)
FIGURES = json.loads((DIT / "evaluation.json").read_text(encoding="utf-8"))
CAPTIONS = captions_path().read_text(encoding="utf-8").splitlines()
CPU = Machine(torch.device("cpu"), torch.float32)
IMAGES = 4
CHOICES = 16
STEPS = 5


@pytest.fixture(scope="module")
def model() -> ModelInfo:
    return resolve_model("demo-dit")


@pytest.fixture(scope="module")
def pipeline(model: ModelInfo) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield load_pipeline(model, "FlowMatchEulerDiscrete", CPU)


def test_the_scorer_finds_the_caption_of_each_image_among_16(model: ModelInfo, pipeline: Any) -> None:
    import open_clip

    settings = {"num_inference_steps": STEPS, "guidance_scale": model.guidance, **model.call}
    workload = Workload(pipeline, CAPTIONS[:IMAGES], CPU, seed=0, settings=settings, size=model.size)
    drawn = pipeline(**workload.arguments(range(IMAGES)), output_type="pt").images
    name = f"local-dir:{scorer_path()}"
    scorer: Any = open_clip.create_model_and_transforms(name)[0].eval()
    with torch.inference_mode():
        pictures = scorer.encode_image(drawn * 2 - 1, normalize=True)
        texts = scorer.encode_text(open_clip.get_tokenizer(name)(CAPTIONS[:CHOICES]), normalize=True)

    assert drawn.shape == (IMAGES, 3, 64, 64) and torch.isfinite(drawn).all()
    assert (pictures @ texts.T).argmax(dim=1).tolist() == list(range(IMAGES))


def test_its_encoders_get_no_more_tokens_than_it_was_trained_on(model: ModelInfo, pipeline: Any) -> None:
    assert [window.tokens for window in text_windows(pipeline, model.call)] == [24, 24]


def test_its_files_fit_their_limit() -> None:
    sizes = [path.stat().st_size for path in (DIT / "pipeline").rglob("*") if path.is_file()]

    assert 0 < sum(sizes) <= WANTED["transformer"]["files_bytes"]


def test_the_evaluation_satisfies_what_was_set_before_training(model: ModelInfo) -> None:
    found = FIGURES["accuracy_by_guidance"]
    for kinds in found.values():
        for kind, least in WANTED["accuracy_of_16"].items():
            assert all(judge["drawn_of_16"] >= least for judge in kinds[kind].values())
    assert FIGURES["seconds_per_image_one_core"] <= WANTED["transformer"]["seconds_per_image_one_core"]


def test_the_default_guidance_is_the_one_with_the_highest_scores(model: ModelInfo) -> None:
    found = FIGURES["accuracy_by_guidance"]
    for kind in WANTED["accuracy_of_16"]:
        for judge in ("scorer", "judge"):
            best = max(found, key=lambda guidance: found[guidance][kind][judge]["clip_score"])
            assert float(best) == model.guidance


def test_the_model_card_states_the_figures_of_the_evaluation() -> None:
    text = (DIT / "MODEL_CARD.md").read_text(encoding="utf-8")

    for guidance, kinds in FIGURES["accuracy_by_guidance"].items():
        for kind, judges in kinds.items():
            for judge, found in judges.items():
                row = f"| {guidance} | {kind.replace('_', ' ')} | {judge} | {found['drawn_of_16']:.1%} | "
                row += f"{found['drawn_of_near_misses']:.1%} | {found['clip_score']:.2f} |"
                assert row.replace("%", " %") in text

    for cache, found in FIGURES["caches"].items():
        psnr = f"{found['psnr']:.1f}" if "psnr" in found else "—"
        assert f"| {cache} | {found['clip_score']:.2f} | {psnr} |" in text


def test_images_get_worse_with_the_strength_of_each_cache() -> None:
    settings: dict[str, list[dict[str, float]]] = {}
    for cache, found in FIGURES["caches"].items():
        settings.setdefault(cache.split()[0], []).append(found)
    [plain] = settings.pop("baseline")

    assert len(settings) == 5
    for found in settings.values():
        psnr = [each["psnr"] for each in found]
        assert psnr == sorted(set(psnr), reverse=True)
        assert found[-1]["clip_score"] < plain["clip_score"] - 4
