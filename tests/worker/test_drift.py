"""A real worker on one core that others come to use while it measures."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.busy import CORES, busy_core
from tests.worker.runs import Run

from accsearch.result_lines.disturbance import DRIFT
from accsearch.task import BASELINE

ON_ONE_CORE = f"""
import os, sys
os.sched_setaffinity(0, [{CORES[0]}])
from accsearch.worker.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_a_machine_that_becomes_busy_is_noted(tmp_path: Path, tiny_paths: dict[str, Path]) -> None:
    run = Run(
        tmp_path, tiny_paths, methods={"tome": {"ratio": [0.5]}}, worker={"repeats": 3, "max_repeats": 4}
    )
    with (
        subprocess.Popen(
            [sys.executable, "-c", ON_ONE_CORE, *run.arguments()],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            text=True,
        ) as worker,
        ExitStack() as others,
    ):
        assert worker.stdout is not None
        for line in worker.stdout:
            if line.startswith("original inference time"):
                for _ in range(4):
                    others.enter_context(busy_core())
            elif "timed in pairs" in line:
                others.close()
        assert worker.wait() == 0

    lines = run.lines()
    trial, baseline = lines["tome-r0.5-d1"], lines[BASELINE]
    assert trial.baseline_drift is not None
    assert trial.baseline_drift > DRIFT
    assert "slower than at the attempt's start" in str(trial.note)
    assert trial.cores_used_by_others is not None
    assert 0.2 < trial.cores_used_by_others <= 1.1
    assert "the machine was busy" in str(trial.note)
    assert "-fold within the attempt" in str(baseline.note)
