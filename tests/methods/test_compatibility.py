"""Each rule of the compatibility table, from both sides."""

from dataclasses import replace
from itertools import combinations
from typing import get_args

import pytest

from accsearch.methods.catalogue import METHODS
from accsearch.methods.cell import Cell, Family
from accsearch.methods.compatibility import admits, caution, combines
from accsearch.task import Scalar

SD = Cell(family="sd", scheduler="DDIM", steps=20, unet_blocks=12, dtype="float32")
SDXL = replace(SD, family="sdxl", unet_blocks=9, attention_downsample=2)
PACKAGE = replace(SD, implementation="package")


def with_defaults(method: str, **changes: Scalar) -> dict[str, dict[str, Scalar]]:
    return {method: {name: each.default for name, each in METHODS[method].parameters.items()} | changes}


def test_every_method_works_on_sd() -> None:
    for method in METHODS:
        assert admits(SD, with_defaults(method)) is None


@pytest.mark.parametrize(
    ("cell", "methods", "reason"),
    [
        (SD, with_defaults("deepcache", cache_branch_id=12), "beyond this UNet's branches 0 to 11"),
        (SDXL, with_defaults("deepcache", cache_branch_id=9), "beyond this UNet's branches 0 to 8"),
        (SD, with_defaults("deepcache", cache_interval=21), "more than 20 steps"),
        (SD, with_defaults("tgate", gate_step=20), "gate_step 20 is not below 20 steps"),
        (SDXL, with_defaults("tome", max_downsample=1), "merges nothing"),
        (replace(SD, dtype="float16"), with_defaults("half", dtype="float16"), "already the baseline's"),
        (replace(SD, steps=1), with_defaults("fewer_steps"), "saves none"),
        (
            replace(SD, scheduler="PNDM", steps=6, fewest_steps=4),
            with_defaults("fewer_steps"),
            "leaves 3 of 6 steps, and PNDM takes at least 4",
        ),
        (
            replace(SD, family="pixart"),
            with_defaults("tome"),
            "does not work on a pipeline of the family pixart",
        ),
        (replace(SD, family="other"), with_defaults("tgate"), "family other"),
        (PACKAGE, with_defaults("compile"), "needs methods.implementation: native"),
        (
            replace(PACKAGE, scheduler="HeunDiscrete"),
            with_defaults("deepcache"),
            "runs wrong on HeunDiscrete",
        ),
        (replace(PACKAGE, scheduler="HeunDiscrete"), with_defaults("tgate"), "runs wrong on HeunDiscrete"),
        (replace(PACKAGE, has_guidance=False), with_defaults("tgate"), "without guidance"),
        (PACKAGE, with_defaults("deepcache") | with_defaults("tgate", sp_interval=5), "needs sp_interval 1"),
    ],
)
def test_what_is_refused(cell: Cell, methods: dict[str, dict[str, Scalar]], reason: str) -> None:
    assert reason in (admits(cell, methods) or "")


@pytest.mark.parametrize(
    ("cell", "methods"),
    [
        (SD, with_defaults("deepcache", cache_branch_id=11, cache_interval=20)),
        (SD, with_defaults("tgate", gate_step=19)),
        (SDXL, with_defaults("tome", max_downsample=2)),
        (replace(SD, dtype="float16"), with_defaults("half", dtype="bfloat16")),
        (replace(SD, family="pixart", unet_blocks=0), with_defaults("tgate")),
        (replace(SD, scheduler="HeunDiscrete"), with_defaults("deepcache") | with_defaults("tgate")),
        (replace(SD, has_guidance=False), with_defaults("tgate")),
        (replace(PACKAGE, scheduler="HeunDiscrete"), with_defaults("tome")),
        (PACKAGE, with_defaults("deepcache") | with_defaults("tgate", sp_interval=1) | with_defaults("tome")),
    ],
)
def test_what_is_admitted(cell: Cell, methods: dict[str, dict[str, Scalar]]) -> None:
    assert admits(cell, methods) is None


@pytest.mark.parametrize("family", get_args(Family))
def test_a_method_is_refused_where_its_own_file_does_not_name_the_family(family: Family) -> None:
    cell = replace(SD, family=family)
    admitted = {method for method in METHODS if admits(cell, with_defaults(method)) is None}

    assert admitted == {method for method, info in METHODS.items() if family in info.supports}
    assert (admitted == METHODS.keys()) is (family in ("sd", "sdxl"))


def test_fewer_steps_is_a_trial_of_its_own_and_all_others_combine() -> None:
    for names in combinations(METHODS, 2):
        assert (combines(names) is None) == ("fewer_steps" not in names)
        assert combines(names) == combines(reversed(names))
    assert combines(name for name in METHODS if name != "fewer_steps") is None


def test_the_package_on_pndm_is_admitted_with_a_caution() -> None:
    cell = replace(PACKAGE, scheduler="PNDM")
    methods = with_defaults("deepcache")

    assert admits(cell, methods) is None
    assert "shifts on PNDM" in (caution(cell, methods) or "")
    assert caution(replace(cell, implementation="native"), methods) is None
