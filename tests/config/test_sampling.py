"""What fits a model follows from its own scheduler's settings; doubtful images are named."""

import json
from pathlib import Path
from typing import Any

import pytest

from accsearch.config.load import build_config
from accsearch.config.sampling import doubt, misfit, refused_steps
from accsearch.errors import ConfigError

SD: dict[str, Any] = {"_class_name": "PNDMScheduler", "steps_offset": 1, "skip_prk_steps": True}
V = {**SD, "_class_name": "DDIMScheduler", "prediction_type": "v_prediction"}
EDM = {"_class_name": "EDMDPMSolverMultistepScheduler", "sigma_data": 0.5}
FLOW = {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0}
SANA = {
    "_class_name": "DPMSolverMultistepScheduler",
    "use_flow_sigmas": True,
    "prediction_type": "flow_prediction",
}
OF_ITS_OWN = {"_class_name": "DDPMWuerstchenScheduler"}
UNKNOWN: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("scheduler", "settings", "fits"),
    [
        ("EulerDiscrete", SD, True),
        ("EulerDiscrete", V, True),
        ("EDMEuler", SD, False),
        ("EDMDPMSolverMultistep", V, False),
        ("EDMEuler", EDM, True),
        ("EDMEuler", FLOW, False),
        ("EulerDiscrete", EDM, False),
        ("FlowMatchHeunDiscrete", EDM, False),
        ("FlowMatchEulerDiscrete", SD, False),
        ("FlowMatchEulerDiscrete", FLOW, True),
        ("FlowMatchEulerDiscrete", SANA, True),
        ("DDIM", FLOW, False),
        ("DPMSolverMultistep", FLOW, False),
        ("UniPCMultistep", SANA, True),
        ("EulerDiscrete", SANA, False),
        ("EDMEuler", UNKNOWN, True),
        ("PNDM", {**SD, "prediction_type": "sample"}, False),
        ("EulerDiscrete", {**SD, "prediction_type": "sample"}, True),
        ("DDIM", {**SD, "beta_schedule": "sigmoid"}, False),
        ("DDPM", {**SD, "beta_schedule": "sigmoid"}, True),
        ("DDIM", {**SD, "beta_schedule": "sigmoid", "trained_betas": [0.1]}, True),
        ("DDIM", OF_ITS_OWN, True),
    ],
)
def test_a_scheduler_fits_how_the_model_was_trained(
    scheduler: str, settings: dict[str, Any], fits: bool
) -> None:
    assert (misfit(scheduler, settings, "StableDiffusionXLPipeline", "m") is None) == fits


@pytest.mark.parametrize(
    ("scheduler", "settings", "steps", "says"),
    [
        ("LCM", SD, 4, "made for distilled models"),
        ("TCD", V, 4, "made for distilled models"),
        ("LCM", {**SD, "_class_name": "LCMScheduler"}, 4, None),
        ("DDIM", {**SD, "_class_name": "LCMScheduler"}, 4, "own scheduler is LCM"),
        ("DDIM", SD, 20, None),
        ("DDIM", SD, 600, "starts at timestep 600 of 1000"),
        ("DDIM", SD, 1, "starts at timestep 1 of 1000"),
        ("DDIM", {**SD, "timestep_spacing": "trailing"}, 600, None),
        ("EulerDiscrete", SD, 600, None),
        ("EulerDiscrete", {**SD, "timestep_spacing": "leading"}, 600, "starts at timestep 600 of 1000"),
    ],
)
def test_images_that_are_no_noise_and_yet_poor_are_said(
    scheduler: str, settings: dict[str, Any], steps: int, says: str | None
) -> None:
    found = doubt(scheduler, settings, steps)

    assert found is None if says is None else says in (found or "")


@pytest.mark.parametrize(
    ("scheduler", "settings", "steps", "says"),
    [
        ("LCM", {**SD, "original_inference_steps": 100}, 100, None),
        ("LCM", {**SD, "original_inference_steps": 100}, 101, "at most 100 steps"),
        ("DDIM", {**SD, "num_train_timesteps": 500}, 501, "at most 499 steps"),
        ("DDIM", {**SD, "timestep_spacing": "trailing"}, 1000, None),
        ("PNDM", {**SD, "skip_prk_steps": False}, 3, "at least 4 steps"),
        ("PNDM", SD, 1, None),
    ],
)
def test_the_models_settings_say_how_many_steps_there_are(
    scheduler: str, settings: dict[str, Any], steps: int, says: str | None
) -> None:
    found = refused_steps(scheduler, settings, steps)

    assert found is None if says is None else says in (found or "")


def test_a_model_in_the_hubs_cache_is_asked_for_its_scheduler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    entry, commit = tmp_path / "models--some--playground", "0" * 40
    (entry / "refs").mkdir(parents=True)
    (entry / "refs" / "main").write_text(commit)
    (entry / "snapshots" / commit / "scheduler").mkdir(parents=True)
    (entry / "snapshots" / commit / "scheduler" / "scheduler_config.json").write_text(json.dumps(EDM))
    pipe = {"name": "p", "model": "some/playground", "class": "StableDiffusionXLPipeline"}

    def build(scheduler: str) -> None:
        build_config({"grid": {"pipe": [pipe], "sched": [scheduler], "steps": [20]}})

    build("EDMEuler")
    with pytest.raises(ConfigError, match="DDIM draws noise with p, an EDM model"):
        build("DDIM")


def test_doubts_are_remarks_of_the_plan() -> None:
    config = build_config({"grid": {"pipe": ["SDXL"], "sched": ["DDIM", "LCM"], "steps": [4, 8]}})

    assert config.facts.remarks == ("SDXL: LCM is made for distilled models, which this is not known to be",)
