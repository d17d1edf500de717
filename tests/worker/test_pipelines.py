"""Loading pipelines, and running those whose denoiser is a transformer."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.worker.methods.images import images
from tests.worker.runs import Run

from accsearch.config.models import resolve_model
from accsearch.demo.tiny_transformers import build_tiny_pixart, build_tiny_sd3
from accsearch.errors import UsageError
from accsearch.task import WorkerExit
from accsearch.worker.machine import choose_machine
from accsearch.worker.pipelines import load_pipeline


@pytest.fixture(scope="module")
def cpu() -> object:
    return choose_machine("cpu", "float32")


@pytest.mark.parametrize("model", ["builtin:tiny-sd", "builtin:tiny-sdxl"])
@pytest.mark.parametrize("scheduler", ["DPMSolverMultistep", "EulerDiscrete"])
def test_builtin_pipelines_load_with_any_scheduler(cpu: object, model: str, scheduler: str) -> None:
    info = resolve_model({"name": "tiny", "model": model})

    pipeline = load_pipeline(info, scheduler, cpu)  # type: ignore[arg-type]

    assert type(pipeline).__name__ == info.pipeline_class
    assert type(pipeline.scheduler).__name__ == f"{scheduler}Scheduler"
    assert pipeline.scheduler.config.beta_start == 0.00085


def test_an_unknown_scheduler_is_the_users_mistake(cpu: object, tiny_paths: dict[str, Path]) -> None:
    info = resolve_model({"name": "tiny", "model": str(tiny_paths["sd"])})

    with pytest.raises(UsageError, match="has no NoneSuchScheduler"):
        load_pipeline(info, "NoneSuch", cpu)  # type: ignore[arg-type]


def test_pickled_weights_are_refused(cpu: object, tiny_paths: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "pickled"
    shutil.copytree(tiny_paths["sd"], folder)
    info = resolve_model({"name": "tiny", "model": str(folder)})
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))

    with pytest.raises(UsageError, match=r"cannot be loaded: .*safetensors"):
        load_pipeline(info, "DDIM", cpu)  # type: ignore[arg-type]


def test_the_variant_that_is_there_is_loaded(
    cpu: object, tiny_paths: dict[str, Path], tmp_path: Path
) -> None:
    plain = load_pipeline(resolve_model({"name": "m", "model": str(tiny_paths["sd"])}), "DDIM", cpu)  # type: ignore[arg-type]
    plain.save_pretrained(tmp_path / "half", variant="fp16")
    assert not list((tmp_path / "half" / "unet").glob("*model.safetensors"))

    info = resolve_model({"name": "m", "model": str(tmp_path / "half")})
    loaded = load_pipeline(info, "DDIM", cpu)  # type: ignore[arg-type]

    assert info.variant == "fp16"
    assert torch.equal(loaded.unet.conv_out.weight, plain.unet.conv_out.weight)


@pytest.fixture(scope="module")
def transformers(tiny_paths: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """`tiny_paths` with a `pixart` and an `sd3` pipeline."""
    root = tmp_path_factory.mktemp("transformers")
    return {
        **tiny_paths,
        "pixart": build_tiny_pixart(root / "pixart"),
        "sd3": build_tiny_sd3(root / "sd3"),
    }


@pytest.mark.parametrize(
    ("family", "sched", "methods", "trials"),
    [
        (
            "pixart",
            "DPMSolverMultistep",
            {"tgate": {"gate_step": [2]}, "fewer_steps": {}},
            ["baseline", "tgate-g2-s5-f1-w2", "fewer_steps-r0.5"],
        ),
        (
            "sd3",
            "FlowMatchEulerDiscrete",
            {"fewer_steps": {}, "first_block_cache": {"threshold": ["p50"]}},
            ["baseline", "fewer_steps-r0.5", "first_block_cache-tp50"],
        ),
    ],
)
def test_a_transformer_s_trials_are_measured(
    tmp_path: Path,
    transformers: dict[str, Path],
    family: str,
    sched: str,
    methods: dict[str, Any],
    trials: list[str],
) -> None:
    run = Run(tmp_path, transformers, family=family, sched=sched, methods=methods)

    assert run.work() == WorkerExit.OK

    lines = run.lines()
    assert list(lines) == trials
    assert all(lines[trial].active is True for trial in trials[1:])
    assert lines["baseline"].calls_left == 1
    assert all(0 < (lines[trial].calls_left or 0) < 1 for trial in trials[1:])
    settled = [trial for trial in trials if "calibration" in lines[trial].environment]
    assert settled == [trial for trial in trials if "-tp50" in trial]
    assert run.workdir.task("tiny", run.task.id).calibration.is_file() == bool(settled)


def test_a_threshold_that_skips_nothing_is_said_before_anything_is_measured(
    tmp_path: Path, transformers: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(
        tmp_path,
        transformers,
        sched="DDIM",
        methods={"step_cache": {"threshold": [0, 1000], "warm_up": [2]}},
    )

    assert run.work() == WorkerExit.OK

    said = capsys.readouterr().out
    assert said.index("note: step_cache with threshold 0 skips nothing here") < said.index(
        "Inference Original"
    )
    assert "step_cache with threshold 1000 skips all that may be skipped, 50% of the calls" in said
    lines = run.lines()
    assert (lines["step_cache-t0.0-w2"].active, lines["step_cache-t0.0-w2"].calls_left) == (False, 1)
    assert lines["step_cache-t1000.0-w2"].calls_left == pytest.approx(0.5)


def test_tgate_leaves_pixart_as_it_was(transformers: dict[str, Path]) -> None:
    from diffusers import DiffusionPipeline

    pipeline = DiffusionPipeline.from_pretrained(transformers["pixart"])
    pipeline.set_progress_bar_config(disable=True)
    gated = {"tgate": {"gate_step": 2, "sp_interval": 1, "fi_interval": 1, "warm_up": 0}}

    plain = images(pipeline, {}, num_inference_steps=4)
    with_tgate = images(pipeline, gated, num_inference_steps=4)

    assert not torch.equal(with_tgate, plain)
    assert torch.equal(images(pipeline, {}, num_inference_steps=4), plain)
    assert not any("forward" in vars(module) for module in pipeline.transformer.modules())
