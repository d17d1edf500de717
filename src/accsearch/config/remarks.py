"""What a user should know of a valid configuration: no scorer or compiler, prompts cut, doubtful images."""

import json
from collections.abc import Iterator
from pathlib import Path

from accsearch.config.compilers import missing_compiler
from accsearch.config.hub_cache import snapshot
from accsearch.config.models import ModelInfo
from accsearch.config.prompts import read_prompts, repetitions
from accsearch.config.sampling import doubt
from accsearch.config.schedulers import SUFFIX
from accsearch.config.schema import Config
from accsearch.demo import PIPELINES

SPECIAL_TOKENS = 2
"""The marks of begin and end that CLIP's tokenizer puts around a prompt."""
CLIP_TOKENS = 77


def remarks(config: Config) -> Iterator[str]:
    """Yield one line for each thing to know of a checked traversal configuration.

    Raises OSError or UsageError where the prompts cannot be read.
    """
    if config.quality is None:
        yield "quality is null: no scorer, so that every trial is measured and `best` ranks by speed alone"
    yield from _of_models(config)
    yield from _of_schedulers(config)
    if "compile" in config.methods and (lacking := missing_compiler(config.worker.device, config.worker.env)):
        yield f"methods.compile: {lacking}, so that its trials will fail"
    if config.prompts.file is not None:
        yield from _of_prompts(config, config.prompts.file)


def _of_models(config: Config) -> Iterator[str]:
    for pipe, model in config.facts.models.items():
        if model.gated and snapshot(model.model_id, model.revision) is None:
            yield (
                f"{pipe}: the licence of {model.model_id} must be accepted on the hub, and HF_TOKEN set, "
                "before it can be downloaded"
            )
        if model.distilled:
            yield f"{pipe} is distilled for few steps: caches from step to step gain little there or break the image"


def _of_schedulers(config: Config) -> Iterator[str]:
    for pipe, model in config.facts.models.items():
        for written in config.grid["sched"]:
            name = written.removesuffix(SUFFIX)
            doubts = (doubt(name, model.scheduler, int(steps)) for steps in config.grid["steps"])
            yield from (f"{pipe}: {each}" for each in dict.fromkeys(doubts) if each is not None)


def _of_prompts(config: Config, file: str) -> Iterator[str]:
    prompts = read_prompts(file, config.worker.num_samples)
    if repeated := repetitions(prompts):
        yield f"prompts.file: {repeated}"
    for pipe, model in config.facts.models.items():
        tokens = text_window(model)
        # Words are what can be counted without the tokenizer, which makes one token or more of each.
        long = [] if tokens is None else [p for p in prompts if len(p.split()) > tokens - SPECIAL_TOKENS]
        if long:
            yield (
                f"prompts.file: {len(long)} of {len(prompts)} prompts or more are longer than the {tokens} tokens "
                f"that {pipe} reads: the rest is cut off"
            )


def text_window(model: ModelInfo) -> int | None:
    """Return the most tokens of a prompt that a pipeline of SD or SDXL reads; None where that is not known."""
    if model.family not in ("sd", "sdxl"):
        return None
    folder = PIPELINES.get(model.model_id, Path(model.model_id))
    if not folder.is_dir():
        return None if model.model_id.startswith("builtin:") else CLIP_TOKENS
    try:
        settings = json.loads((folder / "tokenizer" / "tokenizer_config.json").read_bytes())
        length = settings["model_max_length"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return length if isinstance(length, int) else None
