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
FLUX = replace(SD, family="flux", unet_blocks=0, has_guidance=False)
QWEN = replace(FLUX, family="qwen", has_guidance=True)
PACKAGE = replace(SD, implementation="package")


def with_defaults(method: str, **changes: Scalar) -> dict[str, dict[str, Scalar]]:
    return {method: {name: each.default for name, each in METHODS[method].parameters.items()} | changes}


def test_every_method_for_a_unet_works_on_sd_and_the_others_say_what_they_need() -> None:
    for method, info in METHODS.items():
        why = admits(SD, with_defaults(method))
        assert why is None if "sd" in info.supports else "need a transformer" in str(why)


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


@pytest.mark.parametrize(
    ("cell", "methods", "reason"),
    [
        (FLUX, with_defaults("guidance_cutoff"), "takes the guidance scale as an input"),
        (replace(SD, has_guidance=False), with_defaults("guidance_cutoff"), "needs an unconditional half"),
        (replace(SD, steps=10), with_defaults("guidance_cutoff"), "start 10 is not below 10 steps"),
        (replace(FLUX, family="chroma"), with_defaults("first_block_cache"), "join text and image"),
        (replace(FLUX, family="auraflow"), with_defaults("mag_cache"), "lacks AuraFlow in its table"),
        (replace(FLUX, steps=3), with_defaults("taylorseer"), "leaves none of 3 steps to predict"),
        (replace(FLUX, steps=1), with_defaults("pyramid_attention_broadcast"), "reuses nothing"),
        (replace(FLUX, steps=1), with_defaults("faster_cache"), "leaves nothing out"),
        (replace(FLUX, steps=3), with_defaults("step_cache"), "leaves none of 3 steps to skip"),
        (QWEN, with_defaults("faster_cache"), "two calls of a guided step would share"),
        (
            replace(FLUX, family="sd3"),
            with_defaults("mag_cache") | with_defaults("guidance_cutoff"),
            "guidance_cutoff changes the batch",
        ),
        (
            FLUX,
            with_defaults("compile") | with_defaults("pyramid_attention_broadcast"),
            "compiled anew in each step",
        ),
        (PACKAGE, with_defaults("step_cache"), "needs methods.implementation: native"),
        (PACKAGE, with_defaults("guidance_cutoff"), "needs methods.implementation: native"),
    ],
)
def test_what_is_refused_of_the_caches(
    cell: Cell, methods: dict[str, dict[str, Scalar]], reason: str
) -> None:
    assert reason in (admits(cell, methods) or "")


def test_what_a_cache_calls_is_known_where_it_follows_from_its_parameters() -> None:
    def calls(method: str, **changes: Scalar) -> list[str]:
        info = METHODS[method]
        assert info.calls is not None
        own = with_defaults(method, **changes)[method]
        return [kind.removeprefix(f"{method}:") for kind in info.calls(own, 8, frozenset())]

    assert calls("taylorseer", warm_up=2) == [
        "",
        "",
        "attention",
        "",
        "attention",
        "attention",
        "",
        "attention",
    ]
    assert calls("pyramid_attention_broadcast") == ["", "", "", "reuse", "", "reuse", "", "reuse"]
    assert calls("faster_cache") == ["", "", "", "half-reuse", "half", "", "half", "half-reuse"]
    assert calls("guidance_cutoff", start=6) == [""] * 6 + ["half"] * 2


@pytest.mark.parametrize("family", get_args(Family))
def test_a_method_is_refused_where_its_own_file_does_not_name_the_family(family: Family) -> None:
    cell = replace(SD, family=family)
    admitted = {method for method in METHODS if admits(cell, with_defaults(method)) is None}

    assert admitted == {method for method, info in METHODS.items() if family in info.supports}
    assert {"half", "compile", "fewer_steps", "step_cache"} <= admitted


def test_which_pairs_combine_does_not_depend_on_their_order() -> None:
    for names in combinations(METHODS, 2):
        assert combines(names) == combines(reversed(names))
        if "fewer_steps" in names:
            assert combines(names) is not None


def test_methods_that_change_different_things_combine() -> None:
    assert combines(["deepcache", "tgate", "tome", "half", "compile", "channels_last"]) is None
    assert combines(["deepcache", "guidance_cutoff", "half"]) is None
    assert combines(["mag_cache", "pyramid_attention_broadcast", "half", "compile"]) is None
    assert combines(["step_cache", "guidance_cutoff", "pyramid_attention_broadcast", "tome"]) is None


def test_the_package_on_pndm_is_admitted_with_a_caution() -> None:
    cell = replace(PACKAGE, scheduler="PNDM")
    methods = with_defaults("deepcache")

    assert admits(cell, methods) is None
    assert "shifts on PNDM" in (caution(cell, methods) or "")
    assert caution(replace(cell, implementation="native"), methods) is None
