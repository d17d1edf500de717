"""The A/A benchmark holds what the intervals promise."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "aa.py"


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_hundred_comparisons_of_the_demo_with_itself() -> None:
    ended = subprocess.run([sys.executable, BENCHMARK], capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout[-500:] + ended.stderr[-2000:]
    assert ended.stdout.count("of 100 intervals hold 1") == len(("pairs", "batches"))
