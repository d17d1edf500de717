"""Measure what the margins of `evaluate` rest on: images of methods, of fewer steps and stored ones.

python benchmarks/margins.py        the embedded demo pipeline; the tables of docs/evaluate.md

Everything is computed on the images; nothing is timed.
"""

import argparse
import statistics
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import combinations
from typing import Any

import torch
from PIL import Image
from subject import add_options, open_subject

from accsearch.task import Methods
from accsearch.worker.codeeval.image_distance import coarse, distance, distances, psnr
from accsearch.worker.codeeval.paired_run import ImagePair
from accsearch.worker.codeeval.validity import AREAS, FEWER_STEPS, seed_agreement
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.methods.compose import apply

SCHEDULERS = ("DDIM", "DPMSolverMultistep", "EulerAncestralDiscrete")
STEPS = 12
PAIRS = 12
STEPS_OF_A_LOOK = (20, 15)
IMAGES_OF_A_LOOK = 14
GREY_LEVELS = 3.0


def _deepcache(interval: int) -> Methods:
    return {"deepcache": {"cache_interval": interval, "cache_branch_id": 0}}


def _tgate(step: int) -> Methods:
    return {"tgate": {"gate_step": step, "sp_interval": 1, "fi_interval": 1, "warm_up": min(2, step)}}


def _tome(ratio: float) -> Methods:
    return {"tome": {"ratio": ratio, "max_downsample": 1}}


METHODS: Mapping[str, Methods] = {
    "ToMe, ratio 0.75": _tome(0.75),
    "T-GATE, gate step 2": _tgate(2),
    "DeepCache, interval 3": _deepcache(3),
    "DeepCache 3, T-GATE 4 and ToMe 0.5": {**_deepcache(3), **_tgate(4), **_tome(0.5)},
    "DeepCache, interval 5": _deepcache(5),
    "DeepCache, interval 12": _deepcache(12),
}
MILD: Mapping[str, Methods] = {
    "ToMe 0.1": _tome(0.1),
    "ToMe 0.5": _tome(0.5),
    "DeepCache 2": _deepcache(2),
    "another memory layout": {"channels_last": {}},
    "bfloat16": {"half": {"dtype": "bfloat16"}},
}


def main() -> None:
    for scheduler in SCHEDULERS:
        with _demo("--sched", scheduler) as loaded:
            _follow_the_seed(loaded, scheduler)
    with _demo() as loaded:
        for steps in STEPS_OF_A_LOOK:
            _fewer_steps(loaded, steps)
        _nearest(loaded, MILD)
    with _demo("--dtype", "bfloat16") as loaded:
        _nearest(loaded, {"another memory layout in bfloat16": {"channels_last": {}}})


def _demo(*arguments: str) -> AbstractContextManager[LoadedTask]:
    """Open the demo pipeline with as many prompts as a look takes."""
    parser = argparse.ArgumentParser()
    add_options(parser)
    options = parser.parse_args(["--batch_size", str(IMAGES_OF_A_LOOK), *arguments])
    return open_subject(options, {})


def _follow_the_seed(loaded: LoadedTask, scheduler: str) -> None:
    """Print how images follow the seed, and how near a method brings two of them to each other."""
    prompts = loaded.workload.prompts[:PAIRS]
    asked = [(prompt, 2 * number + of_two) for number, prompt in enumerate(prompts) for of_two in range(2)]
    plain = _draw(loaded, asked, STEPS)
    apart = distances(plain)
    pairs = list(combinations(range(len(asked)), 2))
    print(
        f"{scheduler}, {STEPS} steps: agreement of {PAIRS} pairs; two images' distance, share of the plain ones'"
    )
    for name, methods in METHODS.items():
        drawn = _draw(loaded, asked, STEPS, methods)
        nearer = distances(drawn)
        least = min(float(nearer[pair] / apart[pair]) for pair in pairs)
        print(f"  {name}: {_agreement(asked, plain, drawn)}; {least:.2f} at least", flush=True)
    others = _draw(loaded, [(prompt, seed + 1000) for prompt, seed in asked], STEPS)
    print(f"  another image of the same prompt: {_agreement(asked, plain, others)}", flush=True)


def _agreement(asked: Sequence[tuple[str, int]], plain: Sequence[Any], drawn: Sequence[Any]) -> str:
    image_pairs = [
        ImagePair(*each, ours, theirs, 1.0, 1.0)
        for each, ours, theirs in zip(asked, plain, drawn, strict=True)
    ]
    probes = list(zip(image_pairs[::2], image_pairs[1::2], strict=True))
    single = [seed_agreement([probe]) or 0.0 for probe in probes]
    return f"{seed_agreement(probes):.2f} ({min(single):.2f} to {max(single):.2f})"


def _fewer_steps(loaded: LoadedTask, full: int) -> None:
    """Print how many images by DeepCache 2, and by half the steps with noise, look like those of fewer steps."""
    asked = [(prompt, 1) for prompt in loaded.workload.prompts[:IMAGES_OF_A_LOOK]]
    plain, drawn = _draw(loaded, asked, full), _draw(loaded, asked, full, _deepcache(2))
    halves = [_noisy(image) for image in _draw(loaded, asked, full // 2)]
    most, least = 0, 1.0
    for steps in range(1, full * 3 // 4 + 1):
        fewer = _draw(loaded, asked, steps)
        shares = _shares(drawn, fewer, plain)
        most, least = max(most, sum(share < FEWER_STEPS for share in shares)), min(least, *shares)
        if steps == full // 2:
            noisy = _shares(halves, fewer, plain)
    print(
        f"{full} steps: images by DeepCache 2 that come under {FEWER_STEPS}: at most {most} of {len(asked)}"
    )
    print(f"  the least share is {least:.2f}")
    spread = f"{min(noisy):.2f} to {max(noisy):.2f}, median {statistics.median(noisy):.2f}"
    print(f"  images of {full // 2} steps under noise of {GREY_LEVELS} grey levels: {spread}", flush=True)


def _shares(drawn: Sequence[Any], fewer: Sequence[Any], full: Sequence[Any]) -> list[float]:
    areas = [[coarse(image, AREAS) for image in images] for images in (drawn, fewer, full)]
    return [distance(its, few) / distance(its, whole) for its, few, whole in zip(*areas, strict=True)]


def _noisy(image: Any) -> Any:
    values = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).float()
    noise = torch.randn(values.shape, generator=torch.Generator().manual_seed(0)) * GREY_LEVELS
    changed = (values + noise).round().clamp(0, 255).to(torch.uint8)
    return Image.frombytes("RGB", image.size, changed.numpy().tobytes())


def _nearest(loaded: LoadedTask, mild: Mapping[str, Methods]) -> None:
    """Print how near to the plain images the mildest methods come."""
    asked = [(prompt, 1) for prompt in loaded.workload.prompts[:IMAGES_OF_A_LOOK]]
    plain = _draw(loaded, asked, STEPS_OF_A_LOOK[0])
    for name, methods in mild.items():
        found = [
            psnr(*pair) for pair in zip(plain, _draw(loaded, asked, STEPS_OF_A_LOOK[0], methods), strict=True)
        ]
        spread = f"{min(found):.1f} to {max(found):.1f}, mean {statistics.fmean(found):.1f} dB"
        print(f"{name}: PSNR {spread}", flush=True)


def _draw(
    loaded: LoadedTask, asked: Sequence[tuple[str, int]], steps: int, methods: Methods | None = None
) -> list[Any]:
    """Return the pictures of prompts and seeds, drawn one at a time as `evaluate` does."""
    pictures = []
    with apply(loaded.pipeline, methods or {}) as applied, torch.inference_mode():
        for prompt, seed in asked:
            generator = torch.Generator().manual_seed(seed)
            image = applied(
                prompt=prompt,
                num_inference_steps=steps,
                guidance_scale=loaded.assignment.setting.guidance_scale,
                generator=generator,
            )[0]
            values = (image.float().clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0)
            pictures.append(
                Image.frombytes(
                    "RGB", (image.shape[2], image.shape[1]), values.contiguous().numpy().tobytes()
                )
            )
    return pictures


if __name__ == "__main__":
    main()
