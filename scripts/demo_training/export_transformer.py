"""Write the trained diffusion transformer as the `FluxPipeline` folder that ships in the package."""

from typing import Any

from diffusers import FluxPipeline

from demo_training.denoiser import latent_scale
from demo_training.flux_models import (
    build_flow_schedule,
    build_t5_encoder,
    build_transformer,
    make_t5_tokenizer,
)
from demo_training.models import (
    TextEncoder,
    as_clip_text_model,
    build_autoencoder,
    build_scorer,
    make_tokenizer,
    resumed,
)
from demo_training.stage import Options


def export_transformer(options: Options) -> None:
    """Save the pipeline under the package folder, in float16, with the autoencoder of the first pipeline."""
    tokenizer, t5_tokenizer = make_tokenizer(), make_t5_tokenizer()
    autoencoder = resumed(build_autoencoder(), options.require("vae")).eval()
    autoencoder.register_to_config(scaling_factor=latent_scale(autoencoder, options.seed), shift_factor=0.0)
    clip = TextEncoder(resumed(build_scorer(len(tokenizer)), options.require("scorer")))
    t5 = resumed(build_t5_encoder(len(t5_tokenizer)), options.require("t5"))
    pipeline: Any = FluxPipeline(
        vae=autoencoder.half(),
        text_encoder=as_clip_text_model(clip, tokenizer).half(),
        tokenizer=tokenizer,
        text_encoder_2=t5.eval().half(),
        tokenizer_2=t5_tokenizer,
        transformer=resumed(build_transformer(), options.require("transformer")).eval().half(),
        scheduler=build_flow_schedule(),
    )
    pipeline.save_pretrained(options.package / "dit" / "pipeline")
