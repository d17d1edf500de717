"""Every combination, once, with a stable id."""

from itertools import combinations

import pytest

from accsearch.methods.catalogue import METHODS
from accsearch.methods.combinations import combinations_of, complete, default_lists, methods_of, trial_id
from accsearch.methods.compatibility import combines


def test_every_subset_and_every_choice_of_parameters_is_there_once() -> None:
    lists = {
        "deepcache": {"cache_interval": (2, 3), "cache_branch_id": (0,)},
        "tgate": {"gate_step": (10, 25), "sp_interval": (1,), "fi_interval": (1,), "warm_up": (2,)},
        "tome": {"ratio": (0.3, 0.5), "max_downsample": (1,)},
    }

    ids = [trial_id(methods) for methods in combinations_of(lists)]

    assert len(ids) == len(set(ids)) == 3 * 3 * 3 - 1
    assert ids[0] == "deepcache-i2-b0"
    assert ids[-1] == "deepcache-i3-b0+tgate-g25-s1-f1-w2+tome-r0.5-d1"


def test_the_defaults_of_sd15_are_the_searched_values() -> None:
    assert len(list(combinations_of(default_lists()))) == (6 + 1) * (4 + 1) * (4 + 1) - 1


def test_tgate_defaults_differ_beside_deepcache_unless_they_are_listed() -> None:
    lists = {"deepcache": {"cache_interval": (3,)}, "tgate": {"gate_step": (10,)}}
    listed = {"deepcache": lists["deepcache"], "tgate": {"gate_step": (10,), "sp_interval": (5,)}}

    assert [trial_id(methods) for methods in combinations_of(lists)] == [
        "deepcache-i3-b0",
        "tgate-g10-s5-f1-w2",
        "deepcache-i3-b0+tgate-g10-s1-f1-w0",
    ]
    assert trial_id(list(combinations_of(listed))[-1]) == "deepcache-i3-b0+tgate-g10-s5-f1-w0"


def test_ids_are_file_names_whatever_the_order_of_the_lists() -> None:
    lists = {name: {} for name in reversed(METHODS)}

    ids = {trial_id(methods) for methods in combinations_of(lists)}

    assert {"half-float16", "compile-default", "channels_last", "fewer_steps-r0.5"} <= ids
    subsets = (names for size in range(1, len(METHODS) + 1) for names in combinations(METHODS, size))
    assert len(ids) == sum(combines(names) is None for names in subsets)
    assert all(
        each.replace("+", "").replace("-", "").replace(".", "").replace("_", "").isalnum() for each in ids
    )
    assert trial_id({}) == "baseline"


@pytest.mark.parametrize(
    ("methods", "expected"),
    [
        ({"compile": {"mode": "reduce-overhead"}}, "compile-reduce-overhead"),
        ({"compile": {"regions": "blocks"}}, "compile-default-blocks"),
        ({"first_block_cache": {"threshold": "p25"}}, "first_block_cache-tp25"),
        ({"first_block_cache": {"threshold": 0.25}}, "first_block_cache-t0.25"),
        (
            {"step_cache": {}, "quantize": {"scheme": "int8-dynamic"}},
            "step_cache-tp50-w3+quantize-int8-dynamic",
        ),
    ],
)
def test_an_id_says_its_methods_again(methods: dict[str, dict[str, str]], expected: str) -> None:
    assert trial_id(complete(methods)) == expected
    assert methods_of(expected) == complete(methods)
