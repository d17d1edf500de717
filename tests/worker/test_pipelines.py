"""Loading pipelines."""

import shutil
from pathlib import Path

import pytest

from accsearch.config.models import resolve_model
from accsearch.errors import UsageError
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
