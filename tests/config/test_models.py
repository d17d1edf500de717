"""The model registry: aliases, mirrors, hub ids and saved folders."""

import json
import shutil
from pathlib import Path

import pytest

from accsearch.config.models import ALIASES, MIRRORS, resolve_model


def save_pipeline(folder: Path, pipeline_class: str, levels: list[str]) -> Path:
    (folder / "unet").mkdir(parents=True)
    (folder / "vae").mkdir()
    (folder / "model_index.json").write_text(json.dumps({"_class_name": pipeline_class}), encoding="utf-8")
    unet = {"down_block_types": levels, "sample_size": 32}
    (folder / "unet" / "config.json").write_text(json.dumps(unet), encoding="utf-8")
    (folder / "unet" / "weights.safetensors").write_bytes(b"weights")
    (folder / "vae" / "config.json").write_text(
        json.dumps({"block_out_channels": [8, 8, 8]}), encoding="utf-8"
    )
    return folder


def test_a_saved_folder_says_what_it_is(tmp_path: Path) -> None:
    levels = ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"]
    folder = save_pipeline(tmp_path / "mine", "StableDiffusionXLPipeline", levels)

    model = resolve_model({"name": "mine", "model": "mine"}, tmp_path)

    assert model.model_id == str(folder)
    assert (model.family, model.blocks, model.attention_downsample, model.size) == ("sdxl", 9, 2, 128)


def test_a_folder_is_known_by_its_content_not_its_place(tmp_path: Path) -> None:
    one = save_pipeline(tmp_path / "one", "StableDiffusionPipeline", ["CrossAttnDownBlock2D"])
    other = save_pipeline(tmp_path / "other", "StableDiffusionPipeline", ["CrossAttnDownBlock2D"])
    before = resolve_model({"name": "m", "model": str(one)}).identity

    assert resolve_model({"name": "m", "model": str(other)}).identity == before
    (other / "unet" / "weights.safetensors").write_bytes(b"weighty")
    assert resolve_model({"name": "m", "model": str(other)}).identity != before


def test_a_folder_without_an_index_is_no_pipeline(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no saved pipeline: it has no model_index\.json"):
        resolve_model({"name": "m", "model": str(tmp_path)})


@pytest.mark.parametrize(
    ("lost", "says"),
    [
        ("unet/weights.safetensors", "it holds no weights"),
        ("vae/weights.safetensors", "vae holds no weights"),
        ("vae", "it has no folder vae"),
    ],
)
def test_a_folder_without_all_its_weights_is_no_pipeline(tmp_path: Path, lost: str, says: str) -> None:
    folder = save_pipeline(tmp_path / "mine", "StableDiffusionPipeline", ["CrossAttnDownBlock2D"])
    index = {
        "_class_name": "StableDiffusionPipeline",
        "vae": ["diffusers", "AutoencoderKL"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
        "image_encoder": [None, None],
    }
    (folder / "model_index.json").write_text(json.dumps(index), encoding="utf-8")
    if lost != "unet/weights.safetensors":
        (folder / "vae" / "weights.safetensors").write_bytes(b"weights")
        assert resolve_model({"name": "m", "model": str(folder)}).family == "sd"
    if (folder / lost).is_dir():
        shutil.rmtree(folder / lost)
    else:
        (folder / lost).unlink()

    with pytest.raises(ValueError, match=f"is no whole pipeline: {says}"):
        resolve_model({"name": "m", "model": str(folder)})


def test_ids_that_are_gone_lead_to_their_mirrors() -> None:
    for gone, mirror in MIRRORS.items():
        assert resolve_model({"name": "m", "model": gone}).model_id == mirror
        assert mirror in {info.model_id for info in ALIASES.values()}


def test_a_revision_is_part_of_the_identity() -> None:
    model = resolve_model({"name": "m", "model": "SDXL", "revision": "abc"})

    assert model.identity == "stabilityai/stable-diffusion-xl-base-1.0@abc"
    assert model.alias == "m"


def test_a_hub_model_outside_the_registry_is_of_its_classes_family() -> None:
    model = resolve_model({"name": "flux", "model": "some/flux", "class": "FluxPipeline"})

    assert (model.family, model.blocks, model.pipeline_class) == ("other", 0, "FluxPipeline")
