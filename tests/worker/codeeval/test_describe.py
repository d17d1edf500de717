"""What the objects mode sees of methods that live in closures, helpers and private notes of a package."""

import functools
from collections.abc import Callable
from typing import Any

import pytest
import tomesd
from DeepCache import DeepCacheSDHelper

from accsearch.sandbox.program.describe import Description
from accsearch.worker.methods.snapshot import untouched


def described(pipe: Any) -> dict[str, Any]:
    return {entry["path"]: entry.get("value") for entry in Description(pipe)._entries}


def cached(pipe: Any, interval: int) -> dict[str, Any]:
    helper = DeepCacheSDHelper(pipe=pipe)
    helper.set_params(cache_interval=interval, cache_branch_id=0)
    # The packages' own undo leaves attributes behind on a pipeline that other tests share.
    with untouched(pipe, pipe.unet):
        helper.enable()
        return described(pipe)


def merged(pipe: Any, ratio: float) -> dict[str, Any]:
    with untouched(pipe, pipe.unet):
        tomesd.apply_patch(pipe, ratio=ratio)
        return described(pipe)


@pytest.mark.parametrize(
    ("apply", "values", "name"), [(cached, (3, 12), "cache_interval"), (merged, (0.3, 0.5), "ratio")]
)
def test_a_method_with_other_settings_differs(
    apply: Callable[[Any, Any], dict[str, Any]],
    values: tuple[Any, Any],
    name: str,
    tiny_pipelines: dict[str, Any],
) -> None:
    pipe = tiny_pipelines["sd"]
    one, other = (apply(pipe, value) for value in values)
    assert one == apply(pipe, values[0])
    different = {path.rpartition(".")[2] for path in one if one[path] != other.get(path)}
    assert different == {name}


class Scheduler:
    def step(self) -> None: ...


def described_with(step: Any) -> dict[str, Any]:
    scheduler: Any = Scheduler()
    scheduler.step = step
    return described(scheduler)


def test_values_in_closures_defaults_and_partials_are_seen() -> None:
    def skipping(every: int) -> Callable[[], int]:
        def step(offset: int = 2, *, scale: float = 0.5) -> int:
            return every + offset

        return step

    found = described_with(skipping(3))
    assert found["pipe.step.closure.every"] == 3
    assert found["pipe.step.defaults[0]"] == 2
    assert found["pipe.step.defaults.scale"] == "0.5"
    found = described_with(functools.partial(skipping(4), 7, scale=0.1))
    assert found["pipe.step.func.closure.every"] == 4
    assert found["pipe.step.args[0]"] == 7
    assert found["pipe.step.keywords.scale"] == "0.1"


def test_functions_that_refer_to_each_other_end() -> None:
    def first() -> Any:
        return second

    def second() -> Any:
        return first

    assert len(described_with(first)) < 20
