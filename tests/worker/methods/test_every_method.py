"""The methods that are no caches of transformers, on each tiny pipeline that they support, and refusal elsewhere."""

from collections.abc import Mapping

import pytest
import torch
from tests.worker.large_families import LARGE
from tests.worker.methods.state import State
from tests.worker.methods.transformers import FAMILIES, STRONG, TinyTask

from accsearch.methods.catalogue import METHODS
from accsearch.methods.combinations import complete
from accsearch.methods.compatibility import admits
from accsearch.task import Scalar

pytestmark = pytest.mark.filterwarnings("ignore:.FluxPosEmbed. is deprecated:FutureWarning")
OTHERS: Mapping[str, Mapping[str, Scalar]] = {
    "deepcache": {"cache_interval": 3},
    "tgate": {"gate_step": 4, "sp_interval": 2, "warm_up": 1},
    "tome": {"ratio": 0.5},
    "fewer_steps": {"ratio": 0.5},
    "half": {"dtype": "bfloat16"},
    "quantize": {"scheme": "int8-weight-only"},
    "cache_dit": {"first": 1, "warm_up": 2, "threshold": 0.5},
    "attention": {"backend": "math"},
    "channels_last": {},
}
"""Settings that act in eight steps."""
COMPILED = {"compile"}
"""Tested where there is a compiler: `test_compile`, `test_compile_blocks`."""
REFUSED: Mapping[str, set[str]] = {
    "deepcache": {*FAMILIES, *LARGE},
    "tgate": {*FAMILIES, *LARGE} - {"pixart"},
    "tome": {*FAMILIES, *LARGE},
    "channels_last": {*FAMILIES, *LARGE},
    "cache_dit": {*LARGE, "sd"},
}
"""The families on which a method is refused."""
EXACT = {name for name, info in METHODS.items() if info.exact}


def test_every_method_is_tried_here_or_with_the_caches() -> None:
    assert set(OTHERS) | set(STRONG) | COMPILED == set(METHODS)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("family", [*FAMILIES, *LARGE, "sd"])
def test_each_method_acts_and_is_undone_or_refused(
    tasks: dict[str, TinyTask], family: str, name: str
) -> None:
    task, methods = tasks[family], complete({name: OTHERS[name]})
    why = admits(task.cell, methods)
    assert (why is not None) == (family in REFUSED.get(name, set())), why
    if why is not None:
        return
    before = State(task.pipeline)

    images, _ = task.draw(methods)

    assert torch.isfinite(images).all()
    if name in EXACT:
        torch.testing.assert_close(images, task.plain, atol=1e-3, rtol=0)
    else:
        assert not torch.equal(images, task.plain)
    before.check(task.pipeline)
    assert torch.equal(task.draw({})[0], task.plain)
