"""Which calls a cache would skip, by what a plain generation recorded; figures that are kept."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.worker.methods.transformers import TinyTask

from accsearch.worker.methods import first_block_cache, mag_cache, step_cache
from accsearch.worker.methods.calibration import Calibrations
from accsearch.worker.methods.changes import Changes, share_skipped, threshold_for
from accsearch.worker.methods.compose import apply


def of_heads(*values: float) -> Changes:
    return Changes([], [], [torch.full((4,), value) for value in values], [])


def test_a_first_block_is_compared_with_the_last_step_that_ran() -> None:
    changes = of_heads(1.0, 1.1, 1.2, 1.3, 2.0)

    # 1.1 and 1.2 are within 0.25 of 1.0, 1.3 is not; 2.0 is far from 1.3.
    assert first_block_cache.skips(changes, 0.25) == [False, True, True, False, False]
    assert not any(first_block_cache.skips(changes, 0.0))


def test_mag_cache_skips_until_its_error_or_its_number_is_reached() -> None:
    changes = Changes([], [], [], [1.0, 1.0, 0.9, 1.0, 1.0, 1.0])
    parameters = {"max_skip": 2, "retention": 0.2}

    assert mag_cache.skips(changes, 0.05, parameters) == [False, True, False, True, True, False]
    assert mag_cache.skips(changes, 1.0, {**parameters, "max_skip": 9}) == [False, *[True] * 5]


def test_a_step_cache_adds_up_the_changes_that_it_predicts() -> None:
    inputs = [torch.full((4,), float(step)) for step in range(6)]
    outputs = [torch.full((4,), 10.0 + step) for step in range(6)]
    changes = Changes(inputs, outputs, [], [])

    # The rate is 1 and the output about 10: each step adds about 0.1, so 0.14 is reached by the second.
    assert step_cache.skips(changes, 0.14, {"warm_up": 2}) == [False, False, True, False, True, False]


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_the_threshold_of_a_quantile_skips_that_share(share: float) -> None:
    generator = torch.Generator().manual_seed(1)
    heads = torch.randn(40, 64, generator=generator).cumsum(dim=0) + 20
    changes = [Changes([], [], list(heads), [])]

    threshold = threshold_for(share, first_block_cache.skips, changes)

    assert share_skipped(first_block_cache.skips, changes, threshold) == pytest.approx(share, abs=0.05)


def test_figures_are_found_once_and_kept_with_their_hash(
    tiny_transformers: dict[str, Any], tmp_path: Path
) -> None:
    task = TinyTask("flux", tiny_transformers["flux"])
    file = tmp_path / "calibration.json"

    def used(calibrations: Calibrations) -> dict[str, Any]:
        methods = {"mag_cache": {"threshold": "p50", "max_skip": 3, "retention": 0.2}}
        with torch.no_grad(), apply(task.pipeline, methods, calibrations=calibrations) as applied:
            applied.verify(**task.arguments)
        return dict(applied.calibration)

    first = used(Calibrations(file, "model"))
    kept = json.loads(file.read_text())
    ratios = next(name for name in kept["figures"] if name.endswith(":ratios"))
    # A later worker takes what is there: a threshold that no generation gives shows it.
    again = used(Calibrations(file, "model"))
    kept["figures"][ratios] = [[1.0] * 8]
    file.write_text(json.dumps(kept))
    healed = used(Calibrations(file, "model"))

    assert first == again == healed
    assert kept["sha256"][ratios] == first["mag_cache.ratios"]
    assert json.loads(file.read_text())["figures"][ratios] != [[1.0] * 8]
    assert used(Calibrations(file, "another")) == first
    assert len(json.loads(file.read_text())["figures"]) == 4
