"""`doctor CONFIG` says what the hub's cache lacks of a configuration."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from accsearch.config.load import build_config
from accsearch.config.schema import Config
from accsearch.doctor.downloads import check_downloads
from accsearch.doctor.finding import Severity

COMMIT = "0" * 40
GRID = {"pipe": ["SD1.5"], "sched": ["DDIM"], "steps": ["20"]}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    for name in ("HF_HUB_CACHE", "HF_DATASETS_CACHE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def configured(**sections: Any) -> Config:
    return build_config({"grid": GRID, "methods": {}, **sections}, name="run")


def cached(home: Path, kind: str, repository: str, *files: str) -> Path:
    """Make the folders that the hub's client leaves."""
    entry = home / "hub" / f"{kind}--{repository.replace('/', '--')}"
    folder = entry / "snapshots" / COMMIT
    (entry / "refs").mkdir(parents=True)
    (entry / "refs" / "main").write_text(COMMIT)
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    return folder


def test_an_empty_cache_lacks_all_three_and_the_sizes_are_said(home: Path) -> None:
    found = list(check_downloads(configured()))

    assert [(each.subject, each.level) for each in found] == [
        (part, Severity.WARNING) for part in ("model", "prompts", "scorer")
    ]
    assert "stable-diffusion-v1-5" in found[0].text and found[0].text.endswith("about 4.3 GB")
    assert str(home / "datasets") in found[1].text
    assert "ViT-g-14" in found[2].text and found[2].text.endswith("about 5.5 GB")


def test_what_is_in_the_cache_is_found_and_half_a_model_is_not_whole(home: Path) -> None:
    index = {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]}
    folder = cached(
        home,
        "models",
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        "unet/config.json",
        "vae/diffusion_pytorch_model.safetensors",
    )
    (folder / "model_index.json").write_text(json.dumps(index))
    cached(home, "models", "laion/CLIP-ViT-g-14-laion2B-s34B-b88K", "open_clip_model.safetensors")
    prepared = home / "datasets" / "phiyodr___coco2017" / "default"
    prepared.mkdir(parents=True)
    (prepared / "coco2017-validation.arrow").touch()

    model, prompts, scorer = check_downloads(configured())

    assert (model.level, prompts.level, scorer.level) == (Severity.WARNING, Severity.OK, Severity.OK)
    assert "unet holds no weights" in model.text
    (folder / "unet" / "diffusion_pytorch_model.safetensors").touch()
    assert [each.level for each in check_downloads(configured())] == [Severity.OK] * 3


def test_a_data_set_that_was_only_downloaded_is_not_ready(home: Path) -> None:
    cached(home, "datasets", "phiyodr/coco2017", "README.md")

    assert "downloaded but not prepared" in list(check_downloads(configured()))[1].text


def test_what_is_local_or_built_in_needs_no_hub(home: Path, tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("a\n" * 32)
    demo = configured(grid={**GRID, "pipe": ["demo"]})
    local = configured(prompts={"file": str(tmp_path / "p.txt")}, quality=None)
    command = build_config({"grid": {"n": [1]}, "worker": {"kind": "command", "command": ["echo"]}})

    assert [(each.level, each.text) for each in check_downloads(demo)] == [
        (Severity.OK, "run needs nothing from it")
    ]
    assert [each.subject for each in check_downloads(local)] == ["model"]
    assert list(check_downloads(command)) == []


def test_the_command_takes_configurations_and_leaves_torch_alone(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("grid: {pipe: [SDXL], sched: [DDIM], steps: [20]}\nquality: null\n")
    program = (
        "import sys\nfrom accsearch.cli.app import app\n"
        "app(sys.argv[1:], standalone_mode=False)\nassert 'torch' not in sys.modules\n"
    )
    command = [sys.executable, "-c", program, "doctor", str(path), "--json", "--workdir", str(tmp_path)]

    ended = subprocess.run(command, capture_output=True, text=True, check=True)

    found = {each["subject"]: each for each in json.loads(ended.stdout)}
    assert found["model"]["level"] == "warning"
    assert "scorer" not in found
