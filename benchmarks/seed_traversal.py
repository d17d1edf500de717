"""The original `traversal_search.py`, re-created: what its figures and its wall time are made of.

python benchmarks/seed_traversal.py configs/demo.yaml [-o key=value]... [--sample 12] [--lines FILE]

It searches the first task of a configuration the way the original did: the published packages (DeepCache, T-GATE,
ToMe), all of them imported at the start; each configuration on all prompts once, batch by batch, without a warm-up and
without synchronising; the baseline first, so that its time holds all that a first run waits for; one process for the
task, progress on stdout. The seconds of a configuration are the wall time of its generation loop over the number of
prompts; then its images are scored. Prompts, scorer and the list of configurations are the configuration's own, so
that accsearch can be run on the same.

Two things are in the original's favour: one pipeline serves all configurations, T-GATE's changes are undone by hand
(the original's later trials ran with them or loaded the pipeline again), and there is no progress bar.

`--lines` appends one JSON line a configuration: `trial`, `seconds_per_image`, `score`, and `wall`, the seconds it took
in all; the last line holds `trials_wall`, their sum, and `before`, the seconds of this process before the baseline
began. `--sample N` runs the baseline and a random N of the configurations (fixed seed), to estimate a long search.
"""

import time

STARTED = time.perf_counter()

import argparse  # noqa: E402
import json  # noqa: E402
import random  # noqa: E402
import sys  # noqa: E402
from collections.abc import Iterator, Sequence  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import torch  # noqa: E402

from accsearch.demo.operators import register_torchvision_operators  # noqa: E402

register_torchvision_operators()

import diffusers  # noqa: E402
import open_clip  # noqa: E402, F401
import tomesd  # noqa: E402
from DeepCache import DeepCacheSDHelper  # noqa: E402
from tgate import (  # noqa: E402
    TgateSDDeepCacheLoader,
    TgateSDLoader,
    TgateSDXLDeepCacheLoader,
    TgateSDXLLoader,
)

from accsearch.config.load import load_config  # noqa: E402
from accsearch.config.schema import Config  # noqa: E402
from accsearch.demo import pipeline_path  # noqa: E402
from accsearch.grid import expand  # noqa: E402
from accsearch.task import Methods, Task  # noqa: E402
from accsearch.worker.images import collect  # noqa: E402
from accsearch.worker.machine import Machine, choose_machine  # noqa: E402
from accsearch.worker.prompts import load_prompts  # noqa: E402
from accsearch.worker.quality.scorer import Scorer, load_scorer  # noqa: E402

SAMPLE_SEED = 20261130


class Original:
    """One pipeline, its prompts and scorer, and the loop that measures a configuration."""

    def __init__(self, config: Config, task: Task) -> None:
        self._config = config
        self._axes = task.axes
        worker = config.worker
        self._machine: Machine = choose_machine(worker.device, worker.dtype)
        self.pipeline = _load(config, task, self._machine)
        self._prompts = load_prompts(config.prompts, worker.num_samples)
        self._scorer: Scorer = load_scorer(config.quality, self._machine)
        self._guidance = worker.guidance_scale or config.model(str(task.axes["pipe"])).guidance

    def evaluation(self, pipe_forward: Any, seed: int = 42) -> tuple[float, float | None]:
        """Return the seconds of an image and the mean score, as the function of this name did."""
        size, images = self._config.worker.batch_size, []
        with torch.inference_mode():
            torch.manual_seed(seed)
            start = time.time()
            for first in range(0, len(self._prompts), size):
                output = pipe_forward(
                    self._prompts[first : first + size],
                    num_inference_steps=int(self._axes["steps"]),
                    guidance_scale=self._guidance,
                    output_type="pt",
                )
                images.append(output.images.cpu())
            seconds = (time.time() - start) / len(self._prompts)
            found = collect(images, len(self._prompts))
            scores = self._scorer.scores(found, self._scorer.texts(self._prompts))
        return seconds, sum(scores) / len(scores) if scores else None

    @contextmanager
    def accelerated(self, methods: Methods) -> Iterator[Any]:
        """Switch the packages on and yield what generates; off again, T-GATE's changes by hand."""
        pipe, xl = self.pipeline, "XL" in type(self.pipeline).__name__
        forward, helper = pipe, None
        if "tgate" in methods:
            if "deepcache" in methods:
                joined = TgateSDXLDeepCacheLoader if xl else TgateSDDeepCacheLoader
                pipe = joined(pipe, **methods["deepcache"])
                helper = pipe.deepcache
            else:
                pipe = (TgateSDXLLoader if xl else TgateSDLoader)(pipe)

            def forward(*args: Any, **kwargs: Any) -> Any:
                return pipe.tgate(*args, **methods["tgate"], **kwargs)

        elif "deepcache" in methods:
            helper = DeepCacheSDHelper(pipe=pipe)
            helper.set_params(**methods["deepcache"])
            helper.enable()
        if "tome" in methods:
            tomesd.apply_patch(pipe, **methods["tome"])
        try:
            yield forward
        finally:
            if "tome" in methods:
                tomesd.remove_patch(pipe)
            if helper is not None:
                helper.disable()
            for module in pipe.unet.modules():
                if type(module).__name__ == "Attention":
                    vars(module).pop("forward", None)
                    vars(module).pop("cache", None)


def _load(config: Config, task: Task, machine: Machine) -> Any:
    model = config.model(str(task.axes["pipe"]))
    source = str(pipeline_path()) if model.model_id == "builtin:demo" else model.model_id
    pipe = getattr(diffusers, model.pipeline_class).from_pretrained(
        source, dtype=machine.dtype, safety_checker=None, requires_safety_checker=False
    )
    scheduler = getattr(diffusers, f"{task.axes['sched']}Scheduler")
    pipe.scheduler = scheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    return pipe.to(machine.device)


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("-o", dest="overrides", action="append", default=[], help="key.path=value")
    parser.add_argument("--sample", type=int, help="run so many of the configurations")
    parser.add_argument("--lines", type=Path, help="append a JSON line a configuration to this file")
    options = parser.parse_args(argv)
    config = load_config(options.config, options.overrides)
    task = expand(config).tasks[0]
    original = Original(config, task)
    trials = list(task.trials[1:])
    if options.sample is not None:
        trials = random.Random(SAMPLE_SEED).sample(trials, min(options.sample, len(trials)))
    before = time.perf_counter() - STARTED
    lines: list[dict[str, Any]] = []
    print("Inference Original pipeline...", flush=True)
    for id_, methods in [("baseline", {}), *((trial.id, trial.methods) for trial in trials)]:
        start = time.perf_counter()
        with original.accelerated(methods) as forward:
            seconds, score = original.evaluation(forward)
        wall = time.perf_counter() - start
        lines.append({"trial": id_, "seconds_per_image": seconds, "score": score, "wall": wall})
        print(f"{id_}: {_figures(lines[0], lines[-1])}", flush=True)
    trials_wall = sum(line["wall"] for line in lines)
    lines.append({"trials_wall": trials_wall, "before": before})
    if options.lines is not None:
        with options.lines.open("a") as out:
            out.writelines(json.dumps(line) + "\n" for line in lines)
    print(f"Successfully completed {task.id}")
    return 0


def _figures(baseline: dict[str, Any], own: dict[str, Any]) -> str:
    speedup = baseline["seconds_per_image"] / own["seconds_per_image"]
    lost = "no score"
    if own["score"] is not None and baseline["score"]:
        lost = f"score loss {100 * (baseline['score'] - own['score']) / baseline['score']:.2f} %"
    return f"{own['seconds_per_image']:.3f} s per image, speedup {speedup:.2f}x, {lost}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
