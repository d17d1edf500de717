"""The call that `best --snippet` prints has the arguments that the model needs."""

import json
from pathlib import Path

from accsearch.config.load import load_config
from accsearch.report.snippet import snippet_of
from accsearch.report.thresholds import measured
from accsearch.task import Task

ROW = {
    "trial": "compile-default",
    "speedup": 1.5,
    "speedup_ci95": [1.4, 1.6],
    "score_loss": 0.0,
    "score_loss_ci95": [0.0, 0.0],
    "max_loss": 0.01,
}


def test_a_model_whose_class_has_other_defaults_is_called_with_its_own(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(
        "grid: {pipe: [demo-dit], sched: [FlowMatchEulerDiscrete], steps: [20]}", encoding="utf-8"
    )
    axes = {"pipe": "demo-dit", "sched": "FlowMatchEulerDiscrete", "steps": 20}

    program = snippet_of(ROW, "compile-default", load_config(path), Task("t", "c", axes, ""))

    compile(program, "snippet", "exec")
    assert 'FluxPipeline.from_pretrained(pipeline_path("builtin:demo-dit"), dtype=' in program
    assert "height=64, width=64, max_sequence_length=24)" in program


def test_a_quantile_is_the_threshold_that_the_task_found(tmp_path: Path) -> None:
    kept = {
        "figures": {"0f:step_cache:0.75:3": [[0.34]], "0f:step_cache:0.75:5": [[0.21]], "0f:ratios": [[1.0]]}
    }
    (tmp_path / "kept.json").write_text(json.dumps(kept), encoding="utf-8")
    methods = {
        "step_cache": {"threshold": "p75", "warm_up": 5},
        "mag_cache": {"threshold": "p50", "max_skip": 3},
    }

    found = measured(methods, tmp_path / "kept.json")

    assert found == {"step_cache": {"threshold": 0.21, "warm_up": 5}, "mag_cache": methods["mag_cache"]}
    assert measured(methods, tmp_path / "none.json") == methods
