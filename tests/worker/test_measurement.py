"""What is measured of a trial besides its time."""

import gc
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
from accsearch.worker.activity import is_active
from accsearch.worker.arguments import parse
from accsearch.worker.assignment import assignment_of
from accsearch.worker.baseline import Baseline
from accsearch.worker.baseline_times import BaselineTimes, Timed
from accsearch.worker.generation import Generation, generate
from accsearch.worker.images import Images
from accsearch.worker.loaded_task import LoadedTask, open_task
from accsearch.worker.machine import Machine
from accsearch.worker.measurement import measure_baseline, measure_trial
from accsearch.worker.monitor import Readings
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
    baseline = Baseline(shifted(0), [30.0], BaselineTimes([Timed(0, 1.0)]))
    baseline.saw(Trial(trial_id(TOME), TOME), shifted(5))
    if exact is not None:
        baseline.saw(Trial(trial_id(EXACT), EXACT), exact)

    psnr = similarity(images, baseline.images).psnr

    assert is_active(methods, images, psnr, baseline.exact) is active


def generated(run: Run, draw: Any, seen: Readings, machine: type[Machine] = Machine) -> Generation:
    """Return what `draw` generates in place of the pipeline, two prompts of three at a time."""
    with task_of(run) as loaded:
        return generate(replace(loaded, machine=machine(**vars(loaded.machine))), draw, 2, seen)


def test_images_are_no_set_up_memory(tmp_path: Path, tiny_paths: dict[str, Path]) -> None:
    living: list[weakref.ref[torch.Tensor]] = []

    class Living(Machine):
        def allocated(self) -> int:
            return sum(each() is not None for each in living)

    def draw(latents: torch.Tensor, **_: Any) -> torch.Tensor:
        images = torch.rand(len(latents), *IMAGE, dtype=torch.float64)
        living.append(weakref.ref(images))
        return images

    generation = generated(Run(tmp_path, tiny_paths), draw, Readings(), Living)

    assert len(generation.images.pixels) == 3
    assert living
    assert generation.allocated_bytes == 0


class Drawn:
    """Draws noise; each run takes the next of some seconds, the last for ever, by a clock of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *seconds: float) -> None:
        self.sizes: list[int] = []
        self._left = list(seconds)
        self._now = 0.0
        monkeypatch.setattr("accsearch.worker.stopwatch.time", self)

    def perf_counter(self) -> float:
        return self._now

    def __call__(self, latents: torch.Tensor, **_: Any) -> torch.Tensor:
        self.sizes.append(len(latents))
        self._now += self._left.pop(0) if len(self._left) > 1 else self._left[0]
        return torch.rand(len(latents), *IMAGE)


@pytest.mark.parametrize(
    ("worker", "seconds", "counted", "runs", "set_up"),
    [
        # Of five prompts two batches are full: the last one's time is no time of a batch.
        ({"num_samples": 5, "repeats": 1}, (9.0, 2.0, 1.0), (2.0,), 3, 7.0),
        ({"num_samples": 5, "repeats": 3}, (9.0, 2.0, 1.0, 2.1, 2.2), (2.0, 2.1, 2.2), 5, 6.9),
        ({"num_samples": 5, "repeats": 2, "warmup": 0}, (2.2, 2.0, 1.0), (2.2, 2.0), 3, 0.0),
        ({"num_samples": 2, "repeats": 2}, (9.0, 2.0), (2.0, 2.0), 3, 7.0),
        ({"num_samples": 2, "repeats": 1, "warmup": 0}, (9.0,), (9.0,), 1, 0.0),
        # A second run that records a graph is set-up too; a third is not looked at.
        ({"num_samples": 6, "repeats": 2}, (9.0, 5.0, 2.0), (2.0, 2.0), 4, 10.0),
    ],
    ids=["partial", "repeats", "no warm-up", "one batch", "one run", "set-up by its length"],
)
def test_every_full_batch_is_a_timed_run_and_others_follow_only_for_the_repeats(
    tmp_path: Path,
    tiny_paths: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    worker: dict[str, Any],
    seconds: tuple[float, ...],
    counted: tuple[float, ...],
    runs: int,
    set_up: float,
) -> None:
    text = "".join(f"the cat {number}\n" for number in range(6))
    draw, seen = Drawn(monkeypatch, *seconds), Readings()
    worker = {"max_repeats": 3, **worker}

    generation = generated(Run(tmp_path, tiny_paths, worker=worker, text=text), draw, seen)

    assert [run.seconds for run in generation.runs] == pytest.approx(counted)
    assert len(draw.sizes) == runs
    assert generation.set_up_seconds == pytest.approx(set_up)
    assert len(generation.images.pixels) == worker["num_samples"]
    assert seen.timed is not None


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


class Noting:
    """A scorer that notes when it is asked."""

    def __init__(self, scorer: Any, order: list[str]) -> None:
        self._scorer, self._order = scorer, order

    def scores(self, images: Images, texts: Any) -> list[float]:
        self._order.append("scored")
        found: list[float] = self._scorer.scores(images, texts)
        return found


def test_what_follows_a_trials_runs_finds_the_plain_pipeline_and_nothing_scored_yet(
    tmp_path: Path, tiny_paths: dict[str, Path]
) -> None:
    with task_of(Run(tmp_path, tiny_paths)) as loaded:
        order: list[str] = []
        forward = type(loaded.pipeline.unet).forward

        def then() -> None:
            assert loaded.pipeline.unet.forward.__func__ is forward
            order.append("then")

        measure_trial(replace(loaded, scorer=Noting(loaded.scorer, order)), TOME, 2, then)

    assert order == ["then", "scored"]
