"""Tiny random pipelines of the real classes, built once."""

from pathlib import Path
from typing import Any

import pytest
import torch

from accsearch.demo.operators import register_torchvision_operators

register_torchvision_operators()
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of the tiny `sd` and `sdxl` pipelines and of the scorer."""
    from accsearch.demo.tiny import build_tiny_scorer, build_tiny_sd, build_tiny_sdxl

    root = tmp_path_factory.mktemp("tiny")
    return {
        "sd": build_tiny_sd(root / "sd"),
        "sdxl": build_tiny_sdxl(root / "sdxl"),
        "scorer": build_tiny_scorer(root / "scorer"),
    }


@pytest.fixture(scope="session")
def tiny_pipelines(tiny_paths: dict[str, Path]) -> dict[str, Any]:
    """The pipelines of `tiny_paths`, loaded once; a test must leave them as found."""
    from diffusers import DiffusionPipeline

    pipelines = {}
    for name in ("sd", "sdxl"):
        pipeline = DiffusionPipeline.from_pretrained(tiny_paths[name])
        pipeline.set_progress_bar_config(disable=True)
        pipelines[name] = pipeline
    return pipelines


@pytest.fixture(scope="session")
def tiny_transformers() -> dict[str, Any]:
    """The built-in pipelines whose denoiser is a transformer, by family, loaded once; left as found by each test."""
    from accsearch.config.models import resolve_model
    from accsearch.worker.machine import choose_machine
    from accsearch.worker.pipelines import load_pipeline

    pipelines = {}
    for family in ("flux", "sd3", "pixart", "sana", "qwen"):
        model = resolve_model({"name": family, "model": f"builtin:tiny-{family}"})
        scheduler = model.scheduler["_class_name"].removesuffix("Scheduler")
        pipelines[family] = load_pipeline(model, scheduler, choose_machine("cpu", "float32"))
    return pipelines
