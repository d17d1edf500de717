import argparse
import torch
from torchvision.utils import save_image
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from DeepCache import DeepCacheSDHelper


def set_random_seed(seed):
    torch.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--model_type", type=str, default="sd1.5")
    parser.add_argument("--prompt", type=str, default="a cabin by a lake")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--cache_interval", type=int, default=3)
    parser.add_argument("--cache_branch_id", type=int, default=0)
    args = parser.parse_args()

    if args.model_type.lower() == "sdxl":
        pipe = StableDiffusionXLPipeline.from_pretrained(
            "stabilityai/stable-diffusion-xl-base-1.0", torch_dtype=torch.float16, variant="fp16", use_safetensors=True
        ).to("cuda:0")
    elif args.model_type.lower() == "sd1.5":
        pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5", torch_dtype=torch.float16).to("cuda:0")
    else:
        raise NotImplementedError

    for _ in range(1):
        set_random_seed(args.seed)
        _ = pipe(args.prompt)

    set_random_seed(args.seed)
    original = pipe(args.prompt, output_type="pt").images[0]

    helper = DeepCacheSDHelper(pipe=pipe)
    helper.set_params(cache_interval=args.cache_interval, cache_branch_id=args.cache_branch_id)
    helper.enable()
    set_random_seed(args.seed)
    cached = pipe(args.prompt, output_type="pt").images[0]
    helper.disable()
    save_image([original, cached], "output.png")
