"""Each cache on each tiny transformer: it acts, is undone, combines by the table, and is refused with a reason."""

from itertools import combinations

import pytest
import torch
from tests.worker.large_families import LARGE
from tests.worker.methods.state import State
from tests.worker.methods.transformers import FAMILIES, STRONG, TinyTask, strong

from accsearch.methods.compatibility import admits, combines
from accsearch.worker.methods.compose import apply

pytestmark = pytest.mark.filterwarnings("ignore:.FluxPosEmbed. is deprecated:FutureWarning")


@pytest.mark.parametrize("family", [*FAMILIES, *LARGE, "sd"])
def test_each_admitted_cache_acts_and_is_undone(tasks: dict[str, TinyTask], family: str) -> None:
    task = tasks[family]
    before = State(task.pipeline)
    admitted = [name for name in STRONG if admits(task.cell, strong(name)) is None]

    for name in admitted:
        images, left = task.draw(strong(name))

        assert torch.isfinite(images).all(), name
        assert not torch.equal(images, task.plain), name
        assert 0.1 < left < 0.95, name
        before.check(task.pipeline)
    assert torch.equal(task.draw({})[0], task.plain)
    assert set(STRONG) - set(admitted) == {
        "flux": {"guidance_cutoff"},
        "qwen": {"faster_cache"},
        "flux2": {"guidance_cutoff", "first_block_cache"},
        "zimage": {"first_block_cache", "faster_cache"},
        "chroma": {"first_block_cache", "faster_cache"},
        "auraflow": {"first_block_cache", "mag_cache"},
        "sd": set(STRONG) - {"step_cache", "guidance_cutoff"},
    }.get(family, set())


@pytest.mark.parametrize("family", LARGE)
def test_taylorseer_skips_every_block_whatever_the_blocks_are_called(
    tasks: dict[str, TinyTask], family: str
) -> None:
    task = tasks[family]
    before = State(task.pipeline)

    images, left = task.draw({"taylorseer": {**STRONG["taylorseer"], "scope": "blocks"}})

    assert torch.isfinite(images).all() and not torch.equal(images, task.plain)
    assert left < 0.75
    before.check(task.pipeline)


@pytest.mark.parametrize("family", [*FAMILIES, *LARGE])
def test_caches_that_combine_save_more_than_each_alone(tasks: dict[str, TinyTask], family: str) -> None:
    task = tasks[family]
    pairs = [
        pair
        for pair in combinations(STRONG, 2)
        if combines(pair) is None and admits(task.cell, strong(*pair)) is None
    ]
    alone = {
        name: task.draw(strong(name))[1] for name in dict.fromkeys(name for pair in pairs for name in pair)
    }

    assert len(pairs) >= 2
    for pair in pairs:
        images, left = task.draw(strong(*pair))

        assert torch.isfinite(images).all()
        assert left < min(alone[name] for name in pair) + 0.03, pair
    assert torch.equal(task.draw({})[0], task.plain)


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("first_block_cache", "mag_cache"), "both decide which calls of the denoiser run in full"),
        (("deepcache", "step_cache"), "both decide which calls of the denoiser run in full"),
        (("faster_cache", "pyramid_attention_broadcast"), "both reuse attention"),
        (("faster_cache", "guidance_cutoff"), "both leave out the unconditional half"),
        (("tgate", "first_block_cache"), "one changes the batch that the other keeps a cache of"),
    ],
)
def test_caches_that_do_not_combine_say_why(names: tuple[str, ...], reason: str) -> None:
    assert reason in (combines(names) or "")


def test_what_would_be_done_for_nothing_is_refused(tasks: dict[str, TinyTask]) -> None:
    refused = {
        family: {name: why for name in STRONG if (why := admits(task.cell, strong(name)))}
        for family, task in tasks.items()
    }

    assert "takes the guidance scale as an input" in refused["flux"]["guidance_cutoff"]
    assert "two calls of a guided step" in refused["qwen"]["faster_cache"]
    assert "caches of blocks need a transformer" in refused["sd"]["mag_cache"]


def test_a_separate_half_has_a_cache_of_its_own(tasks: dict[str, TinyTask]) -> None:
    """Two calls a step must not be given each other's attention: without reuse in range they are the baseline."""
    task = tasks["qwen"]

    images, left = task.draw({"pyramid_attention_broadcast": {"start": 0.5, "end": 0.7}})

    assert left > 0.9
    difference = float((images - task.plain).abs().max())
    assert 0 < difference < 0.01


def test_stateful_hooks_begin_anew_in_each_generation(tasks: dict[str, TinyTask]) -> None:
    task = tasks["sd3"]

    with torch.no_grad(), apply(task.pipeline, strong("taylorseer")) as applied:
        first, again = applied(**task.arguments), applied(**task.arguments)
        with applied.suspended():
            plain = (
                applied.invoke.__closure__ is not None
                and task.pipeline(**task.arguments, output_type="pt", return_dict=False)[0]
            )
        resumed = applied(**task.arguments)

    assert torch.equal(first, again) and torch.equal(first, resumed)
    assert torch.equal(plain, task.plain)
