"""Inside the denoiser no method of ours reads a tensor's values, which on a GPU would wait for the device."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from typing import Any

import pytest
import torch
from tests.worker.methods.images import METHODS, STEPS, images, with_scheduler
from torch.utils._python_dispatch import TorchDispatchMode

WAITING = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
SUBSETS = [subset for size in (1, 2, 3) for subset in combinations(METHODS, size)]


class Reads(TorchDispatchMode):
    """Lists the operators called that turn values of tensors into numbers or shapes of the host's."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        # `if tensor:` has no tag.
        if WAITING & set(func.tags) or func is torch.ops.aten.is_nonzero.default:
            self.seen.append(str(func))
        return func(*args, **(kwargs or {}))


@contextmanager
def reads_in_calls_of(module: torch.nn.Module) -> Iterator[list[str]]:
    mode = Reads()
    enter = module.register_forward_pre_hook(lambda *_: mode.__enter__() and None, prepend=True)
    leave = module.register_forward_hook(lambda *_: mode.__exit__(None, None, None))
    try:
        yield mode.seen
    finally:
        enter.remove()
        leave.remove()


@pytest.mark.parametrize("family", ["sd", "sdxl"])
@pytest.mark.parametrize("subset", SUBSETS, ids="+".join)
def test_ours_reads_nothing(tiny_pipelines: dict[str, Any], family: str, subset: tuple[str, ...]) -> None:
    pipeline = with_scheduler(tiny_pipelines[family], "DDIM")

    with reads_in_calls_of(pipeline.unet) as seen:
        images(pipeline, {name: METHODS[name] for name in subset})

    assert seen == []


def test_the_package_of_deepcache_reads_the_timesteps_in_each_step(tiny_pipelines: dict[str, Any]) -> None:
    pipeline = with_scheduler(tiny_pipelines["sd"], "DDIM")

    with reads_in_calls_of(pipeline.unet) as seen:
        images(pipeline, {"deepcache": METHODS["deepcache"]}, implementation="package")

    # It reads the timestep, and compares it with the first, the second, ... until the step is found.
    assert len(seen) == sum(1 + step for step in range(1, STEPS + 1))
