"""The baseline of a generated file on a tiny pipeline."""

from pathlib import Path

import torch

from accsearch.config.models import resolve_model
from accsearch.worker.codeeval.baseline import build
from accsearch.worker.codeeval.recipe import Recipe
from accsearch.worker.machine import choose_machine


def test_the_baseline_computes_as_a_plain_call_of_the_pipeline_does(tiny_paths: dict[str, Path]) -> None:
    # The files are plain calls; inference mode, which spares the host work, would make them look slow.
    model = resolve_model({"name": "tiny", "model": str(tiny_paths["sd"])})
    baseline = build(Recipe(model, "DDIM", 2, {}), choose_machine("cpu", "float32"))
    modes: list[bool] = []
    baseline.pipeline.unet.register_forward_hook(lambda *_: modes.append(torch.is_inference_mode_enabled()))

    image = baseline.image("a red cat", 1)

    assert image.mode == "RGB"
    assert modes == [False, False]
