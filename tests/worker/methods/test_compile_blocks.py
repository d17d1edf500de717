"""Repeated blocks of a transformer compiled for real, by inductor on the CPU."""

from typing import Any

import pytest
import torch
from tests.worker.methods.state import State
from tests.worker.methods.transformers import TinyTask

from accsearch.worker.methods.compose import apply

# Slow since inductor generates and compiles C++ for each kind of blocks, which takes up to a minute a family.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.filterwarnings("ignore")]
BLOCKS = {"compile": {"mode": "default", "regions": "blocks"}}


@pytest.mark.parametrize("family", ["flux", "sd3", "pixart", "sana", "qwen"])
def test_compiled_blocks_draw_the_images_of_eager_mode_and_are_undone(
    tiny_transformers: dict[str, Any], family: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An empty cache, so that the code is generated here.
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    task = TinyTask(family, tiny_transformers[family])
    before = State(task.pipeline)
    torch._dynamo.utils.counters.clear()

    with torch.no_grad(), apply(task.pipeline, BLOCKS) as applied:
        first, second = applied(**task.arguments), applied(**task.arguments)
        counters = torch._dynamo.utils.counters
        compiled = counters["stats"]["unique_graphs"], counters["inductor"]["fxgraph_cache_miss"]
        with applied.suspended():
            between = task.pipeline(**task.arguments, output_type="pt", return_dict=False)[0]
        third = applied(**task.arguments)

    assert compiled[0] >= 1 and compiled[1] >= 1, compiled
    assert list(tmp_path.rglob("*.so")), "inductor built no code"
    torch.testing.assert_close(first, task.plain, atol=1e-3, rtol=0)
    assert torch.equal(first, second) and torch.equal(first, third)
    assert torch.equal(between, task.plain)
    before.check(task.pipeline)
    assert torch.equal(task.draw({})[0], task.plain)
