"""The methods for transformers in generated code: one method in several spellings, from the table of the methods."""

import pytest

from accsearch.codeeval.field_weights import Weights
from accsearch.codeeval.fields import Fields
from accsearch.codeeval.relaxed import relaxed
from accsearch.codeeval.static import comparison, extract_source
from accsearch.methods.catalogue import METHODS

HEAD = """
import accsearch, cache_dit, torch
from cache_dit import BlockAdapter, DBCacheConfig
from diffusers import *
from diffusers.hooks import (
    apply_faster_cache, apply_first_block_cache, apply_mag_cache, apply_pyramid_attention_broadcast,
    apply_taylorseer_cache,
)
from torchao.quantization import (
    Int4WeightOnlyConfig, Int8WeightOnlyConfig, int8_weight_only, quantize_,
)
pipe = FluxPipeline.from_pretrained("accsearch/demo-dit")
"""
CALL = 'pipe("a cat", num_inference_steps=20)'


def read(code: str) -> Fields:
    """Return the fields of a program whose last call follows `code`, in its last line if that ends in a blank."""
    end = "" if code.endswith(" ") else "\n"
    return extract_source(f"{HEAD}{code}{end}{CALL}\n".encode())


def trial(name: str) -> str:
    """Return code that calls the pipeline inside the context of a trial."""
    return f'with accsearch.accelerate(pipe, "{name}"): '


SPELLINGS = [
    [
        "pipe.transformer.enable_cache(FirstBlockCacheConfig(threshold=0.2))",
        "apply_first_block_cache(pipe.transformer, FirstBlockCacheConfig(0.2))",
        trial("first_block_cache-t0.2"),
        'with accsearch.accelerate(pipe, {"first_block_cache": {"threshold": 0.2}}): ',
    ],
    [
        "pipe.transformer.enable_cache(MagCacheConfig(mag_ratios=None))",
        "apply_mag_cache(pipe.transformer, MagCacheConfig(0.06, 3, 0.2))",
        trial("mag_cache-t0.06-k3-r0.2"),
    ],
    [
        "pipe.transformer.enable_cache(TaylorSeerCacheConfig(cache_interval=3))",
        "apply_taylorseer_cache(config=TaylorSeerCacheConfig(3, 3, max_order=1), module=pipe.transformer)",
        trial("taylorseer-i3-w3-o1-attention"),
    ],
    [
        "pipe.transformer.enable_cache(TaylorSeerCacheConfig(cache_interval=3, use_lite_mode=True))",
        trial("taylorseer-i3-w3-o1-blocks"),
    ],
    [
        "pipe.transformer.enable_cache(PyramidAttentionBroadcastConfig(spatial_attention_block_skip_range=2))",
        "apply_pyramid_attention_broadcast(pipe.transformer, PyramidAttentionBroadcastConfig(2, "
        "spatial_attention_timestep_skip_range=(100, 800)))",
    ],
    [
        "pipe.transformer.enable_cache(FasterCacheConfig(unconditional_batch_skip_range=5))",
        "apply_faster_cache(pipe.transformer, FasterCacheConfig())",
    ],
    [
        "pipe.transformer.compile_repeated_blocks()",
        "for block in pipe.transformer.transformer_blocks: block.compile()",
        "for i, each in enumerate(pipe.transformer.blocks): pipe.transformer.blocks[i] = torch.compile(each)",
        'pipe.transformer.compile_repeated_blocks(mode="default")',
        trial("compile-default-blocks"),
    ],
    [
        "pipe.transformer.compile()",
        "pipe.transformer = torch.compile(pipe.transformer)",
        "pipe.transformer.forward = torch.compile(pipe.transformer.forward)",
        trial("compile-default"),
    ],
    [
        'pipe.transformer.set_attention_backend("_native_flash")',
        trial("attention-flash"),
    ],
    [
        "quantize_(pipe.transformer, Int8WeightOnlyConfig())",
        "quantize_(model=pipe.transformer, config=int8_weight_only())",
        trial("quantize-int8-weight-only"),
    ],
    [
        "cache_dit.enable_cache(pipe)",
        "cache_dit.enable_cache(pipe, cache_config=DBCacheConfig(Fn_compute_blocks=8, max_warmup_steps=8))",
        "cache_dit.enable_cache(BlockAdapter(pipe=pipe), cache_config=DBCacheConfig())",
        "cache_dit.enable_cache(pipe.transformer)",
        trial("cache_dit-f8-b0-t0.08-w8"),
    ],
    [
        trial("step_cache-t0.1-w3"),
        'with accsearch.accelerate(pipe, {"step_cache": {"threshold": 0.1}}): ',
    ],
    [trial("guidance_cutoff-s10"), 'with accsearch.accelerate(pipe, {"guidance_cutoff": {}}): '],
]


@pytest.mark.parametrize(
    ("first", "other"),
    [(codes[0], other) for codes in SPELLINGS for other in codes],
)
def test_one_method_in_another_spelling_is_equal(first: str, other: str) -> None:
    reference, generated = read(first), read(other)

    static = comparison(reference, generated)
    judged = relaxed(reference, generated, Weights())["fields"]["acceleration_methods"]
    assert static["verdict"] == "match"
    assert len(static["fields"]["acceleration_methods"]["reference"]) == 1
    assert static["parameters"]["differences"] == []
    assert (judged["similarity"], judged["note"]) == (1.0, "")


OTHERS = [
    (
        "pipe.transformer.enable_cache(FirstBlockCacheConfig())",
        trial("first_block_cache-t0.2"),
        "first_block_cache.threshold 0.05 against 0.2",
    ),
    (
        "pipe.transformer.enable_cache(TaylorSeerCacheConfig())",
        trial("taylorseer-i3-w3-o1-attention"),
        "taylorseer.cache_interval 5 against 3",
    ),
    (
        "pipe.transformer.enable_cache(MagCacheConfig(max_skip_steps=2, mag_ratios=None))",
        trial("mag_cache-t0.06-k3-r0.2"),
        "mag_cache.max_skip_steps 2 against 3",
    ),
    (
        "pipe.transformer.enable_cache(FasterCacheConfig())",
        "pipe.transformer.enable_cache(FasterCacheConfig(spatial_attention_block_skip_range=3))",
        "faster_cache.spatial_attention_block_skip_range 2 against 3",
    ),
    (
        "pipe.transformer.enable_cache(PyramidAttentionBroadcastConfig(2))",
        "pipe.transformer.enable_cache(PyramidAttentionBroadcastConfig(4))",
        "pyramid_attention_broadcast.spatial_attention_block_skip_range 2 against 4",
    ),
    (
        "pipe.transformer = torch.compile(pipe.transformer)",
        "pipe.transformer.compile_repeated_blocks()",
        "torch_compile.regions denoiser against blocks",
    ),
    (
        'pipe.transformer.set_attention_backend("flash")',
        trial("attention-flash"),
        "attention.backend flash against _native_flash",
    ),
    (
        "quantize_(pipe.transformer, Int8WeightOnlyConfig())",
        trial("quantize-fp8-dynamic"),
        "quantize.config Int8WeightOnlyConfig against Float8DynamicActivationFloat8WeightConfig",
    ),
    (
        "cache_dit.enable_cache(pipe, cache_config=DBCacheConfig(residual_diff_threshold=0.24))",
        trial("cache_dit-f8-b0-t0.08-w8"),
        "cache_dit.residual_diff_threshold 0.24 against 0.08",
    ),
    (trial("step_cache-t0.1-w3"), trial("step_cache-t0.2-w3"), "step_cache.threshold 0.1 against 0.2"),
    (trial("guidance_cutoff-s10"), trial("guidance_cutoff-s12"), "guidance_cutoff.start 10 against 12"),
]


@pytest.mark.parametrize(("first", "other", "reason"), OTHERS)
def test_another_value_is_named(first: str, other: str, reason: str) -> None:
    reference, generated = read(first), read(other)

    judged = relaxed(reference, generated, Weights())["fields"]["acceleration_methods"]
    assert comparison(reference, generated)["parameters"]["differences"] == [reason]
    assert judged["note"] == reason
    assert judged["similarity"] < 1


def test_another_method_is_named() -> None:
    reference = read("cache_dit.enable_cache(pipe)")
    generated = read("pipe.transformer.enable_cache(FirstBlockCacheConfig())")

    result = comparison(reference, generated)
    assert result["verdict"] == "mismatch"
    assert result["parameters"]["differences"] == [
        "cache_dit only in the reference",
        "first_block_cache only in the generated file",
    ]


@pytest.mark.parametrize(
    "code",
    [
        f"{trial('first_block_cache-t0.2')}pass",
        "cache_dit.enable_cache(pipe)\ncache_dit.disable_cache(pipe)",
        'pipe.transformer.set_attention_backend("flash")\npipe.transformer.reset_attention_backend()',
        'pipe.transformer.set_attention_backend("flash")\npipe.transformer.set_attention_backend("native")',
        "pipe.transformer.enable_cache(MagCacheConfig())\npipe.transformer.disable_cache()",
    ],
)
def test_what_is_taken_off_before_the_call_is_no_method(code: str) -> None:
    assert read(f"{code}\n").acceleration_methods == []


def test_what_was_on_before_a_trial_is_on_again_after_it() -> None:
    before = "pipe.transformer.enable_cache(FirstBlockCacheConfig(0.1))"

    found = read(f"{before}\n{trial('first_block_cache-t0.2+attention-flash')}pass\n")

    assert found.methods == {"first_block_cache": {"threshold": 0.1}}


@pytest.mark.parametrize(
    "code",
    ["context.__enter__()", "from contextlib import ExitStack\nExitStack().enter_context(context)"],
)
def test_a_trial_that_no_with_statement_puts_on_is_undetermined(code: str) -> None:
    found = read(f'context = accsearch.accelerate(pipe, "guidance_cutoff-s10")\n{code}')

    assert found.states["acceleration_methods"] == "undetermined"


@pytest.mark.parametrize("methods", ["input()", '"no-such-trial"', "{1: 2}", '{"deepcache": 3}'])
def test_a_trial_that_only_a_run_can_tell_is_undetermined(methods: str) -> None:
    found = read(f"with accsearch.accelerate(pipe, {methods}): ")

    assert found.states["acceleration_methods"] == "undetermined"


def test_the_denoiser_is_what_a_method_of_several_modules_is_known_by() -> None:
    code = "quantize_(pipe.transformer, Int8WeightOnlyConfig())\nquantize_(pipe.text_encoder, Int4WeightOnlyConfig())"

    assert read(code).methods == {"quantize": {"config": "Int8WeightOnlyConfig"}}


@pytest.mark.parametrize(
    ("code", "method", "parameter"),
    [
        (
            'cache_dit.enable_cache(pipe, **cache_dit.load_configs("c.yaml"))',
            "cache_dit",
            "Fn_compute_blocks",
        ),
        (
            "pipe.transformer.enable_cache(FirstBlockCacheConfig(**open(0)))",
            "first_block_cache",
            "threshold",
        ),
        ("quantize_(pipe.transformer, own())", "quantize", "config"),
        ("pipe.transformer.set_attention_backend(own())", "attention", "backend"),
    ],
)
def test_a_parameter_that_only_a_run_can_tell_is_unknown(code: str, method: str, parameter: str) -> None:
    methods = read(f"from own import own\n{code}").methods

    assert methods is not None
    assert methods[method][parameter] is None


def test_every_method_that_others_have_says_how_they_name_each_parameter() -> None:
    for info in METHODS.values():
        if info.library is not None:
            assert info.library.names.keys() <= info.parameters.keys()
            for name, values in info.library.values.items():
                assert set(values) == set(info.parameters[name].choices)
