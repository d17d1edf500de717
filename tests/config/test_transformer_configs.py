"""The configurations of transformers plan without a network, and say what a user must know first."""

from pathlib import Path

import pytest

from accsearch.config import check
from accsearch.config.load import build_config, load_config
from accsearch.errors import ConfigError
from accsearch.grid import expand

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


@pytest.mark.parametrize(
    ("name", "methods", "said"),
    [
        ("flux", {"compile", "first_block_cache", "mag_cache", "step_cache", "taylorseer"}, "licence"),
        ("sd35", {"faster_cache", "first_block_cache", "guidance_cutoff", "step_cache"}, "licence"),
        ("pixart", {"tgate", "first_block_cache", "guidance_cutoff", "step_cache"}, ""),
        ("qwen-image", {"mag_cache", "guidance_cutoff", "step_cache", "taylorseer"}, ""),
        ("flux-schnell", {"compile", "attention", "fewer_steps"}, "distilled for few steps"),
    ],
)
def test_each_plans_offline_with_trials_of_its_methods(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, methods: set[str], said: str
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))

    config = load_config(CONFIGS / f"{name}.yaml")
    grid = expand(config)

    for task in grid.tasks:
        assert methods <= {method for trial in task.trials for method in trial.methods}
    assert said in " ".join(grid.notes)


def test_a_method_whose_package_is_not_installed_is_refused_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grid = {"pipe": ["FLUX.1-dev"], "sched": ["FlowMatchEulerDiscrete"], "steps": [28]}
    monkeypatch.setattr(check, "find_spec", lambda _name: None)

    with pytest.raises(ConfigError, match=r"needs the package torchao: pip install 'accsearch\[quantize\]'"):
        build_config({"grid": grid, "methods": {"quantize": {}}})


def test_a_scheduler_that_takes_no_sigmas_is_refused_where_the_pipeline_gives_them() -> None:
    grid = {"pipe": ["FLUX.1-dev"], "sched": ["FlowMatchHeunDiscrete"], "steps": [28]}

    with pytest.raises(ConfigError, match="FlowMatchHeunDiscrete takes no sigmas"):
        build_config({"grid": grid})
