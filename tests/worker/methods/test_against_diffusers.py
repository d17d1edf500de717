"""Where the hooks of diffusers act by themselves, the images are theirs, bit for bit."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from tests.worker.methods.transformers import STEPS, TinyTask, strong

from accsearch.worker.methods.changes import record
from accsearch.worker.methods.compose import apply


@pytest.fixture(scope="module")
def flux(tiny_transformers: dict[str, Any]) -> TinyTask:
    return TinyTask("flux", tiny_transformers["flux"])


def by_diffusers(task: TinyTask, config: Any) -> torch.Tensor:
    """Return the images with a cache of diffusers switched on as its documentation says."""
    transformer = task.pipeline.transformer
    transformer.enable_cache(config)
    try:
        with torch.no_grad():
            images: torch.Tensor = task.pipeline(**task.arguments, output_type="pt", return_dict=False)[0]
    finally:
        transformer.disable_cache()
        del transformer._diffusers_hook
    return images


def first_block(task: TinyTask) -> Any:
    from diffusers import FirstBlockCacheConfig

    with (
        torch.no_grad(),
        apply(task.pipeline, strong("first_block_cache"), calibrations=task.calibrations) as applied,
    ):
        applied.verify(**task.arguments)
    return FirstBlockCacheConfig(threshold=applied.calibration["first_block_cache.threshold"])


def taylorseer(_task: TinyTask) -> Any:
    from diffusers import TaylorSeerCacheConfig

    return TaylorSeerCacheConfig(
        cache_interval=3, disable_cache_before_step=2, taylor_factors_dtype=torch.float32
    )


def broadcast(task: TinyTask) -> Any:
    from diffusers import PyramidAttentionBroadcastConfig

    scheduler = task.pipeline.scheduler
    return PyramidAttentionBroadcastConfig(
        spatial_attention_block_skip_range=2,
        spatial_attention_timestep_skip_range=(100, 900),
        current_timestep_callback=lambda: 1000 * (1 - (scheduler.step_index or 0) / STEPS),
    )


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("first_block_cache", first_block),
        ("taylorseer", taylorseer),
        ("pyramid_attention_broadcast", broadcast),
    ],
)
def test_the_images_are_those_of_enable_cache(
    flux: TinyTask, name: str, config: Callable[[TinyTask], Any]
) -> None:
    ours, left = flux.draw(strong(name))

    assert left < 0.95
    assert torch.equal(ours, by_diffusers(flux, config(flux)))


def test_the_ratios_are_those_that_its_calibration_prints(
    flux: TinyTask, capsys: pytest.CaptureFixture[str]
) -> None:
    from diffusers import MagCacheConfig

    by_diffusers(flux, MagCacheConfig(calibrate=True, num_inference_steps=STEPS))
    printed = capsys.readouterr().out.splitlines()
    theirs = next(line for line in printed if line.startswith("[1.0"))

    with torch.no_grad(), apply(flux.pipeline, {}) as applied:
        changes = record(applied.denoiser, applied._session.clock, applied, flux.arguments)

    assert [float(each) for each in theirs.strip("[]").split(",")] == pytest.approx(
        changes[0].ratios, rel=1e-6
    )


def test_mag_cache_with_these_ratios_skips_what_diffusers_skips(flux: TinyTask) -> None:
    from diffusers import MagCacheConfig

    ours, _ = flux.draw({"mag_cache": {"threshold": 0.2}})
    with torch.no_grad(), apply(flux.pipeline, {}) as applied:
        changes = record(applied.denoiser, applied._session.clock, applied, flux.arguments)
    config = MagCacheConfig(threshold=0.2, num_inference_steps=STEPS, mag_ratios=changes[0].ratios)

    assert torch.equal(ours, by_diffusers(flux, config))
    assert not torch.equal(ours, flux.plain)
