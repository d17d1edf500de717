"""Where our own methods and the packages draw different images, the packages are wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from tests.worker.methods.images import DEEPCACHE, TGATE, TOME, call, images, with_scheduler

from accsearch.worker.methods.compose import apply


@contextmanager
def passes(pipeline: Any) -> Iterator[list[bool]]:
    """Record for each call of the UNet whether its deepest block was computed."""
    computed: list[bool] = []
    layer = pipeline.unet.mid_block.resnets[0]
    hooks = [
        pipeline.unet.register_forward_pre_hook(lambda *_: computed.append(False)),
        layer.register_forward_hook(lambda *_: computed.__setitem__(-1, True)),
    ]
    try:
        yield computed
    finally:
        for hook in hooks:
            hook.remove()


def deepcache_passes(pipeline: Any, implementation: str) -> list[bool]:
    with apply(pipeline, {"deepcache": DEEPCACHE}, implementation=implementation) as invoke:
        call(invoke)
        with passes(pipeline) as computed:
            call(invoke)
    return computed


def test_deepcache_package_never_refreshes_on_heun(tiny_pipelines: dict[str, Any]) -> None:
    pipeline = with_scheduler(tiny_pipelines["sd"], "HeunDiscrete")

    native = deepcache_passes(pipeline, "native")

    assert native == [index % 2 == 0 for index in range(len(native))]
    assert sum(deepcache_passes(pipeline, "package")) == 1


def test_deepcache_package_skips_twice_where_pndm_repeats_a_timestep(tiny_pipelines: dict[str, Any]) -> None:
    pipeline = with_scheduler(tiny_pipelines["sd"], "PNDM", skip_prk_steps=True)

    native = deepcache_passes(pipeline, "native")

    assert native == [index % 2 == 0 for index in range(9)]
    assert deepcache_passes(pipeline, "package")[:5] == [True, False, False, False, True]


def test_tgate_package_mixes_the_images_of_a_batch_without_guidance(tiny_pipelines: dict[str, Any]) -> None:
    pipeline = with_scheduler(tiny_pipelines["sd"], "DDIM")
    methods = {"tgate": TGATE}

    alone = images(pipeline, methods, count=1, guidance_scale=1.0)
    native = images(pipeline, methods, guidance_scale=1.0)
    package = images(pipeline, methods, "package", guidance_scale=1.0)

    # The first image of a batch must not depend on the second.
    torch.testing.assert_close(native[:1], alone, atol=2e-5, rtol=0)
    assert (package[:1] - alone).abs().max() > 2e-4


def test_tgate_package_gates_no_step_of_heun_whole(tiny_pipelines: dict[str, Any]) -> None:
    pipeline = with_scheduler(tiny_pipelines["sd"], "HeunDiscrete")
    batches: list[int] = []
    hook = pipeline.unet.conv_in.register_forward_pre_hook(lambda _, args: batches.append(args[0].shape[0]))

    try:
        images(pipeline, {"tgate": TGATE})
        native, batches = batches[:], []
        images(pipeline, {"tgate": TGATE}, "package")
    finally:
        hook.remove()

    # Two calls a step (the last step makes one), so four steps with guidance are eight calls.
    assert native == [4] * 8 + [2] * 7
    assert batches[:8] != [4] * 8


def test_tgate_package_unmerges_reused_attention_by_another_matching(tiny_pipelines: dict[str, Any]) -> None:
    # Self-attention cached inside the merge holds tokens in one order, and is copied apart by a later one:
    # with destinations drawn anew the image changes although the tokens that were cached are the same.
    pipeline = with_scheduler(tiny_pipelines["sd"], "DDIM")
    methods = {"tgate": {**TGATE, "fi_interval": 10}, "tome": TOME}
    reference = images(pipeline, {"tgate": {**TGATE, "fi_interval": 10}})

    native = images(pipeline, methods)
    package = images(pipeline, methods, "package")

    assert (native - reference).abs().mean() < (package - reference).abs().mean()


def test_every_method_of_our_own_acts_on_heun(tiny_pipelines: dict[str, Any]) -> None:
    pipeline = with_scheduler(tiny_pipelines["sd"], "HeunDiscrete")
    baseline = images(pipeline, {})

    for methods in ({"deepcache": DEEPCACHE}, {"tgate": TGATE}, {"tome": TOME}):
        changed = (images(pipeline, methods) - baseline).abs().mean()

        assert 0 < changed < 0.1, methods
