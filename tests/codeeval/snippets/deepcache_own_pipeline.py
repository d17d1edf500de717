import argparse
import logging
import time

import torch
from diffusers import StableDiffusionXLPipeline
from DeepCache import StableDiffusionXLPipeline as DeepCacheStableDiffusionXLPipeline

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=str, default="stabilityai/stable-diffusion-xl-base-1.0")
    args = parser.parse_args()
    prompt = "a cabin by a lake"

    baseline_pipe = StableDiffusionXLPipeline.from_pretrained(args.model, torch_dtype=torch.float16, variant="fp16").to("cuda:0")
    start = time.time()
    before = baseline_pipe(prompt, output_type="pt").images
    logging.info("Baseline: {:.2f} seconds".format(time.time() - start))
    del baseline_pipe
    torch.cuda.empty_cache()

    pipe = DeepCacheStableDiffusionXLPipeline.from_pretrained(args.model, torch_dtype=torch.float16, variant="fp16").to("cuda:0")
    start = time.time()
    after = pipe(
        prompt,
        cache_interval=3, cache_layer_id=0, cache_block_id=0,
        uniform=True,
        output_type="pt", return_dict=True,
    ).images
    logging.info("DeepCache: {:.2f} seconds".format(time.time() - start))
