"""The whole worker over the schedulers of the main configuration, every method alone and with the others."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.worker.runs import Run

from accsearch.result_lines.file import validate
from accsearch.task import BASELINE, WorkerExit

CONFIG = yaml.safe_load((Path(__file__).parents[2] / "configs" / "sd15.yaml").read_text(encoding="utf-8"))
QUICK = {"num_samples": 2, "repeats": 1, "max_repeats": 1, "warmup": 0}
METHODS: dict[str, Any] = {
    "deepcache": {"cache_interval": [2], "cache_branch_id": [0]},
    "tgate": {"gate_step": [2]},
    "tome": {"ratio": [0.5], "max_downsample": [2]},
}


@pytest.mark.parametrize(
    ("family", "sched", "implementation"),
    [
        *(("sd", sched, "native") for sched in CONFIG["grid"]["sched"]),
        ("sdxl", "EulerDiscrete", "native"),
        ("sd", "DDIM", "package"),
    ],
)
def test_every_combination_is_measured(
    tmp_path: Path, tiny_paths: dict[str, Path], family: str, sched: str, implementation: str
) -> None:
    methods = {"implementation": implementation, **METHODS}
    run = Run(tmp_path, tiny_paths, family=family, sched=sched, methods=methods, worker=QUICK)

    assert run.work() == WorkerExit.OK

    assert validate(run.results, run.task.trials) is None
    lines = run.lines()
    assert sorted("+".join(line.methods) for line in lines.values()) == sorted(
        ["", *METHODS, "deepcache+tgate", "deepcache+tome", "tgate+tome", "deepcache+tgate+tome"]
    )
    assert [line.active for line in lines.values() if line.trial != BASELINE] == [True] * 7
    assert len({line.images_sha256 for line in lines.values()}) == 8
