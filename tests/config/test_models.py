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

    assert (model.family, model.blocks, model.pipeline_class) == ("flux", 0, "FluxPipeline")
    assert model.scheduler == {} and not model.gated


@pytest.mark.parametrize(
    ("names", "asked", "found"),
    [
        (("w.safetensors", "w.safetensors"), None, None),
        (("w.fp16.safetensors", "w.fp16.safetensors"), None, "fp16"),
        (("w.fp16.safetensors", "w.safetensors"), None, "fp16"),
        (("w.bf16-00001-of-00002.safetensors", "w-00001-of-00002.bf16.safetensors"), None, "bf16"),
        (("w-00001-of-00002.safetensors", "w.safetensors"), None, None),
        (("w.fp16.safetensors w.safetensors", "w.safetensors"), "fp16", "fp16"),
        (("w.fp16.safetensors w.ema.safetensors", "w.ema.safetensors"), None, "ema"),
    ],
)
def test_the_variant_of_the_weights_is_the_one_that_is_there(
    tmp_path: Path, names: tuple[str, str], asked: str | None, found: str | None
) -> None:
    model = resolve_model({"name": "m", "model": str(with_weights(tmp_path, names)), "variant": asked})

    assert model.variant == found


@pytest.mark.parametrize(
    ("names", "asked", "says"),
    [
        (("w.fp16.safetensors w.ema.safetensors",) * 2, None, r"give `variant` \(ema or fp16\)"),
        (("w.fp16.safetensors", "w.ema.safetensors"), None, "the variant that the others have"),
        (
            ("w.fp16.safetensors", "w.fp16.safetensors"),
            "fp32",
            r"no weights of the variant fp32 \(allowed fp16\)",
        ),
        (("w.safetensors", "w.safetensors"), "fp16", "it has plain weights alone"),
        (("w.fp16.safetensors", "w.ema.safetensors"), "ema", "unet holds no weights of the variant ema"),
        (("w.safetensors", "w.safetensors"), "../x", "is not allowed"),
    ],
)
def test_a_variant_that_is_not_whole_is_refused(
    tmp_path: Path, names: tuple[str, str], asked: str | None, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        resolve_model({"name": "m", "model": str(with_weights(tmp_path, names)), "variant": asked})


def with_weights(folder: Path, names: tuple[str, str]) -> Path:
    """Save a pipeline whose UNet and VAE hold empty files of these names (separated by spaces)."""
    saved = save_pipeline(folder / "mine", "StableDiffusionPipeline", ["CrossAttnDownBlock2D"])
    index = {"unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"]}
    text = json.dumps({"_class_name": "StableDiffusionPipeline", **index})
    (saved / "model_index.json").write_text(text, encoding="utf-8")
    (saved / "unet" / "weights.safetensors").unlink()
    for part, files in zip(("unet", "vae"), names, strict=True):
        for name in files.split():
            (saved / part / name).write_bytes(b"")
    return saved


def test_weights_whose_link_leads_nowhere_are_missing(tmp_path: Path) -> None:
    saved = with_weights(tmp_path, ("w.safetensors", "w.safetensors"))
    (saved / "unet" / "w.safetensors").unlink()
    (saved / "unet" / "w.safetensors").symlink_to(tmp_path / "blobs" / "gone")

    with pytest.raises(ValueError, match="unet holds no weights"):
        resolve_model({"name": "m", "model": str(saved)})


@pytest.mark.parametrize("name", ["v1-5-pruned.safetensors", "v1-5.ckpt", "unet/model.bin", "README.md"])
def test_what_is_never_read_does_not_count(tmp_path: Path, name: str) -> None:
    saved = with_weights(tmp_path, ("w.safetensors", "w.safetensors"))
    before = resolve_model({"name": "m", "model": str(saved)}).identity
    (saved / name).write_bytes(b"of no matter")

    assert resolve_model({"name": "m", "model": str(saved)}).identity == before


def test_the_variant_of_a_hub_model_is_part_of_its_identity() -> None:
    model = resolve_model({"name": "m", "model": "SDXL", "variant": "fp16"})

    assert model.identity == "stabilityai/stable-diffusion-xl-base-1.0@main.fp16"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("LTXPipeline", "makes video"),
        ("AnimateDiffSDXLPipeline", "makes video"),
        ("WanVideoToVideoPipeline", "makes video"),
        ("CogVideoXPipeline", "makes video"),
        ("SanaVideoPipeline", "makes video"),
        ("LattePipeline", "makes video"),
        ("Cosmos2_5_PredictBasePipeline", "makes video"),
        ("AudioLDM2Pipeline", "makes sound"),
        ("KandinskyPipeline", "needs image_embeds, negative_image_embeds"),
        ("MarigoldDepthPipeline", "needs image"),
        ("UnCLIPPipeline", "takes no num_inference_steps, guidance_scale"),
        (
            "StableDifusionPipeline",
            r"diffusers has no StableDifusionPipeline; did you mean StableDiffusionPipeline\?$",
        ),
    ],
)
def test_a_class_that_makes_no_images_of_prompts_is_refused(name: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        resolve_model({"name": "m", "model": "some/model", "class": name})


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("StableDiffusion3Pipeline", "sd3"),
        ("SanaPipeline", "sana"),
        ("Kandinsky5T2IPipeline", "other"),
        ("HunyuanDiTPipeline", "other"),
    ],
)
def test_other_classes_that_make_images_of_prompts_are_accepted(name: str, family: str) -> None:
    assert resolve_model({"name": "m", "model": "some/model", "class": name}).family == family


def test_a_folder_saved_by_a_video_pipeline_is_refused(tmp_path: Path) -> None:
    saved = save_pipeline(tmp_path / "mine", "MochiPipeline", ["DownBlock2D"])

    with pytest.raises(ValueError, match=r"^MochiPipeline makes video; "):
        resolve_model({"name": "m", "model": str(saved)})


def test_the_longer_side_of_a_model_that_is_not_square_is_its_size(tmp_path: Path) -> None:
    saved = save_pipeline(tmp_path / "mine", "StableDiffusionPipeline", ["CrossAttnDownBlock2D"])
    unet = {"down_block_types": ["CrossAttnDownBlock2D"], "sample_size": [24, 40]}
    (saved / "unet" / "config.json").write_text(json.dumps(unet), encoding="utf-8")

    assert resolve_model({"name": "m", "model": str(saved)}).size == 160
