"""DeepCache on UNets that are not plain Stable Diffusion's: as the whole UNet where it can be, else refused."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from tests.worker.methods.images import METHODS, PROMPTS, call, images, with_scheduler
from tests.worker.methods.state import State

from accsearch.worker.methods.branch import Branch
from accsearch.worker.methods.compose import apply
from accsearch.worker.methods.deepcache import check_branch
from accsearch.worker.methods.session import Unsupported

SIMPLE = {
    "down_block_types": ["SimpleCrossAttnDownBlock2D"] * 3,
    "mid_block_type": "UNetMidBlock2DSimpleCrossAttn",
    "up_block_types": ["SimpleCrossAttnUpBlock2D"] * 3,
}
CUT_ANYWHERE = {
    "no mid block": {"mid_block_type": None},
    "one layer, no mid block": {"mid_block_type": None, "layers_per_block": 1},
    "mid block without attention": {"mid_block_type": "UNetMidBlock2D"},
    "centred input": {"center_input_sample": True},
    "activation of the time": {"time_embedding_act_fn": "silu"},
    "activation after the time": {"timestep_post_act": "silu"},
    "fourier time": {"time_embedding_type": "fourier"},
    "simple cross-attention": SIMPLE,
    "simple cross-attention, residual scaled by time": {
        **SIMPLE,
        "resnet_time_scale_shift": "scale_shift",
        "resnet_skip_time_act": True,
        "resnet_out_scale_factor": 1.4,
    },
    "time scales": {"resnet_time_scale_shift": "scale_shift"},
    "cross-attention alone": {"only_cross_attention": True},
    "text in the time": {"addition_embed_type": "text", "addition_embed_type_num_heads": 2},
    "projected text": {"encoder_hid_dim": 16, "encoder_hid_dim_type": "text_proj", "cross_attention_dim": 24},
    "gated attention": {"attention_type": "gated"},
    "levels of one, two and three layers": {"layers_per_block": [1, 2, 3]},
    "transformers of several layers": {"transformer_layers_per_block": [1, 2, 3]},
    "layers without attention outside": {
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    },
    "large first and last layers": {"conv_in_kernel": 5, "conv_out_kernel": 5},
}
REFUSED = {
    "blocks of another kind": (
        {"down_block_types": ["AttnDownBlock2D"] * 3, "up_block_types": ["AttnUpBlock2D"] * 3},
        "a UNet cannot be cut inside of its AttnDownBlock2D",
    ),
    "blocks that downsample by layers": (
        {
            "down_block_types": ["ResnetDownsampleBlock2D"] * 3,
            "up_block_types": ["ResnetUpsampleBlock2D"] * 3,
        },
        "a UNet cannot be cut inside of its ResnetDownsampleBlock2D",
    ),
}


@contextmanager
def with_unet(pipeline: Any, **changes: Any) -> Iterator[Any]:
    """Give a pipeline a random UNet like its own with some settings changed, then its own again."""
    from diffusers import UNet2DConditionModel

    before = pipeline.unet
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        unet = UNet2DConditionModel.from_config({**before.config, **changes}).eval()
    pipeline.register_modules(unet=unet)
    try:
        yield pipeline
    finally:
        pipeline.register_modules(unet=before)


def verify(pipeline: Any, branch: int, **arguments: Any) -> None:
    methods = {"deepcache": {"cache_interval": 2, "cache_branch_id": branch}}
    settings = {"prompt": PROMPTS, "num_inference_steps": 4, "guidance_scale": 5.0, **arguments}
    with torch.inference_mode(), apply(pipeline, methods) as applied:
        applied.verify(**settings)


@pytest.mark.parametrize("name", CUT_ANYWHERE)
def test_a_branch_is_its_whole_unet(tiny_pipelines: dict[str, Any], name: str) -> None:
    pipeline = with_scheduler(tiny_pipelines["sd"], "DDIM")
    with with_unet(pipeline, **CUT_ANYWHERE[name]):
        for branch in (0, 1, 2, 5, 8):
            verify(pipeline, branch)
        verify(pipeline, 4, guidance_scale=1.0, height=40, width=56)


@pytest.mark.parametrize("family", ["sd", "sdxl"])
@pytest.mark.parametrize("branch", range(9))
def test_a_branch_of_a_plain_unet_is_its_whole_unet(
    tiny_pipelines: dict[str, Any], family: str, branch: int
) -> None:
    verify(with_scheduler(tiny_pipelines[family], "DDIM"), branch)


@pytest.mark.parametrize("branch", [0, 4, 8])
def test_sdxl_without_a_mid_block_draws(tiny_pipelines: dict[str, Any], branch: int) -> None:
    pipeline = with_scheduler(tiny_pipelines["sdxl"], "EulerDiscrete")
    with with_unet(pipeline, mid_block_type=None):
        verify(pipeline, branch)
        plain = images(pipeline, {})
        cached = images(pipeline, {"deepcache": {"cache_interval": 2, "cache_branch_id": branch}})
    assert cached.isfinite().all()
    assert not torch.equal(cached, plain)


@pytest.mark.parametrize("names", [("deepcache",), ("deepcache", "tgate")], ids="+".join)
def test_the_package_needs_a_mid_block(tiny_pipelines: dict[str, Any], names: tuple[str, ...]) -> None:
    pipeline = with_scheduler(tiny_pipelines["sd"], "DDIM")
    methods = {name: METHODS[name] for name in names}
    with (
        with_unet(pipeline, mid_block_type=None),
        pytest.raises(Unsupported, match="its package needs a mid block"),
    ):
        images(pipeline, methods, "package")


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_cut_is_refused_with_the_reason(tiny_pipelines: dict[str, Any], name: str) -> None:
    changes, reason = REFUSED[name]
    pipeline = with_scheduler(tiny_pipelines["sd"], "DDIM")
    with with_unet(pipeline, **changes), pytest.raises(Unsupported, match=reason):
        verify(pipeline, 1)


def test_what_the_branch_lacks_is_refused(tiny_pipelines: dict[str, Any]) -> None:
    pipeline = with_scheduler(tiny_pipelines["sd"], "DDIM")
    pipeline.enable_freeu(s1=0.9, s2=0.2, b1=1.5, b2=1.6)
    try:
        with pytest.raises(Unsupported, match="at a full step the UNet cut at this branch is off by up to"):
            verify(pipeline, 4)
        # The outermost level, which FreeU leaves alone, is run as a whole.
        verify(pipeline, 0)
    finally:
        pipeline.disable_freeu()


def test_labels_of_classes_are_in_the_branch(tiny_pipelines: dict[str, Any]) -> None:
    for joined in (False, True):
        changes = {"class_embed_type": "simple_projection", "projection_class_embeddings_input_dim": 5}
        widths = {"class_embeddings_concat": True} if joined else {}
        with with_unet(tiny_pipelines["sd"], **changes, **widths) as pipeline, torch.no_grad():
            inputs = torch.randn(2, 4, 16, 16), torch.tensor(500), torch.randn(2, 32, 16)
            check_branch(Branch(pipeline.unet, 1), *inputs, class_labels=torch.randn(2, 5), return_dict=False)


def test_residuals_of_a_control_net_are_refused(tiny_pipelines: dict[str, Any]) -> None:
    unet = tiny_pipelines["sd"].unet
    inputs = torch.randn(2, 4, 16, 16), torch.tensor(500), torch.randn(2, 32, 16)
    with pytest.raises(Unsupported, match="the branch takes no mid_block_additional_residual"):
        check_branch(
            Branch(unet, 1), *inputs, mid_block_additional_residual=torch.zeros(1), return_dict=False
        )


@pytest.mark.parametrize("name", ["no mid block", "simple cross-attention", "centred input"])
def test_a_whole_step_every_time_is_the_plain_pipeline(tiny_pipelines: dict[str, Any], name: str) -> None:
    pipeline = with_scheduler(tiny_pipelines["sd"], "DDIM")
    with with_unet(pipeline, **CUT_ANYWHERE[name]):
        plain = images(pipeline, {})
        assert torch.equal(
            images(pipeline, {"deepcache": {"cache_interval": 1, "cache_branch_id": 1}}), plain
        )
        assert not torch.equal(images(pipeline, {"deepcache": METHODS["deepcache"]}), plain)


def test_looking_leaves_no_trace(tiny_pipelines: dict[str, Any]) -> None:
    pipeline = with_scheduler(tiny_pipelines["sd"], "DDIM")
    methods = copy.deepcopy({**METHODS, "half": {"dtype": "bfloat16"}, "channels_last": {"enabled": True}})
    # A pipeline keeps settings of its first call.
    images(pipeline, {})
    before = State(pipeline)
    with apply(pipeline, methods, seed=7) as applied:
        unlooked = call(applied)
    with apply(pipeline, methods, seed=7) as applied:
        patched = State(pipeline)
        with torch.inference_mode():
            applied.verify(prompt=PROMPTS, num_inference_steps=4, guidance_scale=5.0)
        patched.check(pipeline)
        looked = call(applied)
    before.check(pipeline)
    assert torch.equal(looked, unlooked)
