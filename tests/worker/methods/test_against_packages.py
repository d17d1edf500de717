"""The methods of our own draw the packages' images, bit for bit, wherever the packages are right."""

from itertools import chain, combinations, product
from typing import Any

import pytest
import torch
from tests.worker.methods.images import METHODS, STEPS, images, with_scheduler

SCHEDULERS = [
    "DDIM",
    "DPMSolverMultistep",
    "EulerDiscrete",
    "UniPCMultistep",
    "EulerAncestralDiscrete",
    "LMSDiscrete",
]
EVERY_PAIR = list(product(["sd", "sdxl"], SCHEDULERS))
EVERY_TIME = [("sd", "DDIM"), ("sd", "EulerAncestralDiscrete"), ("sdxl", "DPMSolverMultistep")]
SUBSETS = [subset for size in (1, 2, 3) for subset in combinations(METHODS, size)]


def both(pipeline: Any, methods: Any, **arguments: Any) -> tuple[torch.Tensor, torch.Tensor]:
    return images(pipeline, methods, **arguments), images(pipeline, methods, "package", **arguments)


@pytest.mark.parametrize(
    ("family", "scheduler"),
    [
        *EVERY_TIME,
        *(pytest.param(*pair, marks=pytest.mark.slow) for pair in EVERY_PAIR if pair not in EVERY_TIME),
    ],
)
def test_every_combination_matches_its_packages(
    tiny_pipelines: dict[str, Any], family: str, scheduler: str
) -> None:
    pipeline = with_scheduler(tiny_pipelines[family], scheduler)
    baseline = images(pipeline, {})

    for subset in SUBSETS:
        native, package = both(pipeline, {name: METHODS[name] for name in subset})

        assert torch.equal(native, package), subset
        assert not torch.equal(native, baseline), subset


@pytest.mark.parametrize("family", ["sd", "sdxl"])
@pytest.mark.parametrize("prk", [True, False])
def test_matches_on_pndm_without_deepcache(tiny_pipelines: dict[str, Any], family: str, prk: bool) -> None:
    pipeline = with_scheduler(tiny_pipelines[family], "PNDM", skip_prk_steps=not prk)

    for subset in (("tgate",), ("tome",), ("tgate", "tome")):
        native, package = both(pipeline, {name: METHODS[name] for name in subset})

        assert torch.equal(native, package), subset


@pytest.mark.parametrize("branch", range(9))
@pytest.mark.parametrize("family", ["sd", "sdxl"])
def test_every_branch_of_deepcache_matches(tiny_pipelines: dict[str, Any], family: str, branch: int) -> None:
    pipeline = with_scheduler(tiny_pipelines[family], "DDIM")

    native, package = both(pipeline, {"deepcache": {"cache_interval": 3, "cache_branch_id": branch}})

    assert torch.equal(native, package)


@pytest.mark.parametrize(
    "parameters",
    [
        {"gate_step": 5, "sp_interval": 3, "fi_interval": 1, "warm_up": 2},
        {"gate_step": 3, "sp_interval": 1, "fi_interval": 2, "warm_up": 0},
        {"gate_step": 1, "sp_interval": 5, "fi_interval": 1, "warm_up": 2},
        {"gate_step": STEPS - 1, "sp_interval": 2, "fi_interval": 3, "warm_up": 1},
    ],
)
def test_every_phase_of_tgate_matches(tiny_pipelines: dict[str, Any], parameters: dict[str, int]) -> None:
    pipeline = with_scheduler(tiny_pipelines["sd"], "DDIM")

    native, package = both(pipeline, {"tgate": parameters})

    assert torch.equal(native, package)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("size", [32, 48])
def test_matches_for_other_batches_and_sizes(tiny_pipelines: dict[str, Any], count: int, size: int) -> None:
    pipeline = with_scheduler(tiny_pipelines["sd"], "DDIM")

    native, package = both(pipeline, METHODS, count=count, height=size, width=size + 8)

    assert torch.equal(native, package)


def test_tome_and_deepcache_match_without_guidance(tiny_pipelines: dict[str, Any]) -> None:
    pipeline = with_scheduler(tiny_pipelines["sdxl"], "DDIM")

    for subset in chain((("deepcache",), ("tome",)), (("deepcache", "tome"),)):
        native, package = both(pipeline, {name: METHODS[name] for name in subset}, guidance_scale=1.0)

        assert torch.equal(native, package), subset
