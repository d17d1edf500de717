"""The argv of a task and the line that its log must hold."""

import sys
from pathlib import Path

from accsearch.config.load import build_config
from accsearch.grid import command_line, expand, success_sentinel, worker_imports


def test_the_own_worker_is_given_the_tasks_id(tmp_path: Path) -> None:
    config = build_config({"grid": {"pipe": ["SD1.5"], "sched": ["DDIM"], "steps": [50]}, "name": "c"})
    task = expand(config).tasks[0]

    argv = command_line(config, task, attempt=2, batch_size=1, workdir=tmp_path)

    assert argv[:4] == [sys.executable, "-P", "-m", "accsearch.worker"]
    flags = dict(zip(argv[4::2], argv[5::2], strict=True))
    assert flags == {
        "--workdir": str(tmp_path),
        "--config": "c",
        "--attempt": "2",
        "--task": "SD1.5_DDIM_50",
        "--batch_size": "1",
    }
    assert success_sentinel(config, task) == "Successfully completed SD1.5_DDIM_50"


def test_a_command_is_filled_in_once_and_braces_can_be_written(tmp_path: Path) -> None:
    worker = {
        "kind": "command",
        "command": ["run", "--a={a}", "{task}/{config}", "{{a}}", '{"json": {a}}', "{workdir}/x", "{a.b}"],
        "success_sentinel": "{task} done with {a}",
    }
    config = build_config({"grid": {"a": ["v1"], "b": ["2"]}, "worker": worker, "name": "c"})
    task = expand(config).tasks[0]

    argv = command_line(config, task, attempt=1, workdir=tmp_path)

    assert argv == ["run", "--a=v1", "v1_2/c", "{a}", '{"json": v1}', f"{tmp_path}/x", "{a.b}"]
    assert success_sentinel(config, task) == "v1_2 done with v1"


def test_a_search_imports_its_pipeline_its_scheduler_and_its_scorer_alone() -> None:
    grid = {"pipe": ["SDXL"], "sched": ["EulerDiscrete"], "steps": [20]}
    config = build_config({"grid": grid, "methods": {}})
    (task,) = expand(config).tasks
    needs = {
        "accsearch.worker.run",
        "diffusers:StableDiffusionXLPipeline",
        "diffusers:EulerDiscreteScheduler",
    }

    assert needs | {"open_clip"} <= set(worker_imports(config, task))
    without = build_config({"grid": grid, "methods": {}, "quality": None})
    assert "open_clip" not in worker_imports(without, task)
