"""What is measured of a trial besides its time."""

import gc
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.worker.runs import Run

from accsearch.methods.combinations import trial_id
from accsearch.task import Methods, Trial
from accsearch.worker.arguments import parse
from accsearch.worker.assignment import assignment_of
from accsearch.worker.images import Images
from accsearch.worker.loaded_task import LoadedTask, generate, open_task
from accsearch.worker.machine import Machine
from accsearch.worker.measurement import Baseline, is_active, measure_baseline, measure_trial
from accsearch.worker.quality.similarity import similarity

IMAGE = (3, 32, 32)
LITTLE = 256
"""More bytes than a generation leaves behind."""


@contextmanager
def task_of(run: Run) -> Iterator[LoadedTask]:
    with open_task(assignment_of(parse(run.arguments()))) as loaded:
        yield loaded


@dataclass(frozen=True)
class Counted(Machine):
    """A CPU that says what all tensors of this process hold but images, which belong on the host."""

    def allocated(self) -> int:
        tensors = [each for each in gc.get_objects() if issubclass(type(each), torch.Tensor)]
        held = [each.untyped_storage() for each in tensors if each.shape[1:] != IMAGE]
        return sum({storage.data_ptr(): storage.nbytes() for storage in held}.values())


@pytest.mark.parametrize(
    "methods", [{"half": {"dtype": "bfloat16"}}, {"channels_last": {"enabled": True}}], ids=str
)
def test_set_up_memory_is_what_the_methods_hold(
    tmp_path: Path, tiny_paths: dict[str, Path], methods: Methods
) -> None:
    with task_of(Run(tmp_path, tiny_paths)) as loaded:
        counted = replace(loaded, machine=Counted(**vars(loaded.machine)))
        # The first generation replaces the sampler's thousand training steps by a few.
        measure_baseline(counted, 2)
        plain = measure_baseline(counted, 2).set_up_bytes
        used = measure_trial(counted, methods, 2).set_up_bytes
        copied = _copied(loaded.pipeline, methods)

    assert plain is not None
    assert used is not None
    assert abs(plain) < LITTLE
    assert copied > 2 * LITTLE
    assert abs(used - copied) < LITTLE


TOME: Methods = {"tome": {"ratio": 0.5, "max_downsample": 1}}
EXACT: Methods = {"channels_last": {"enabled": True}}
BOTH: Methods = {**TOME, **EXACT}


def shifted(levels: int, pixels: int = 3 * 32 * 32) -> Images:
    """Return an image whose first `pixels` values are `levels` away from those of `shifted(0)`."""
    values = torch.full((1, *IMAGE), 100, dtype=torch.uint8)
    values.view(-1)[:pixels] += levels
    return Images(values)


@pytest.mark.parametrize(
    ("methods", "images", "exact", "active"),
    [
        ({}, shifted(0), None, None),
        (EXACT, shifted(9), None, None),
        (TOME, shifted(0), None, False),
        (TOME, shifted(1, pixels=1), None, True),
        (BOTH, shifted(1, pixels=1), shifted(1, pixels=1), False),
        (BOTH, shifted(1, pixels=2), shifted(1, pixels=1), True),
        (BOTH, shifted(0), shifted(1, pixels=1), True),
        # A level everywhere is 48.13 dB, two are 42.11.
        (BOTH, shifted(0), None, False),
        (BOTH, shifted(1), None, False),
        (BOTH, shifted(2), None, True),
    ],
)
def test_active_is_what_approximate_methods_change(
    methods: Methods, images: Images, exact: Images | None, active: bool | None
) -> None:
    baseline = Baseline(shifted(0), [30.0])
    baseline.saw(Trial(trial_id(TOME), TOME), shifted(5))
    if exact is not None:
        baseline.saw(Trial(trial_id(EXACT), EXACT), exact)

    psnr = similarity(images, baseline.images).psnr

    assert is_active(methods, images, psnr, baseline) is active


class OnDevice:
    """Images that count as memory of the device until they are let go."""

    def __init__(self, count: int, living: "weakref.WeakSet[OnDevice]") -> None:
        self._count = count
        living.add(self)

    def cpu(self) -> torch.Tensor:
        return torch.rand(self._count, *IMAGE)


def test_images_are_no_set_up_memory(tmp_path: Path, tiny_paths: dict[str, Path]) -> None:
    living: weakref.WeakSet[OnDevice] = weakref.WeakSet()

    class Living(Machine):
        def allocated(self) -> int:
            return len(living)

    def draw(latents: torch.Tensor, **_: Any) -> Any:
        return OnDevice(len(latents), living)

    with task_of(Run(tmp_path, tiny_paths)) as loaded:
        generation = generate(replace(loaded, machine=Living(**vars(loaded.machine))), draw, 2)

    assert len(generation.images.pixels) == 3
    assert generation.allocated_bytes == 0


def test_set_up_ends_with_the_first_batch(tmp_path: Path, tiny_paths: dict[str, Path]) -> None:
    moments = []

    def draw(latents: torch.Tensor, **_: Any) -> torch.Tensor:
        moments.append(time.perf_counter())
        return torch.rand(len(latents), *IMAGE)

    with task_of(Run(tmp_path, tiny_paths)) as loaded:
        generation = generate(loaded, draw, 2)

    first, second = moments
    assert first < generation.set_up_at < second


def _copied(pipeline: Any, methods: Methods) -> int:
    """Return the bytes of the second copy of the weights that `methods` work on."""
    modules = [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]
    if "half" in methods:
        tensors = chain.from_iterable((*module.parameters(), *module.buffers()) for module in modules)
        return sum(each.numel() * 2 for each in tensors if each.is_floating_point())
    kernels = [
        each for each in chain(pipeline.unet.parameters(), pipeline.vae.parameters()) if each.ndim == 4
    ]
    # A kernel of one pixel has both layouts at once.
    return sum(each.nbytes for each in kernels if not each.is_contiguous(memory_format=torch.channels_last))
