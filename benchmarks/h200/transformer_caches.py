"""Caches, compilation and 8 bits on full-size random transformers: time, calls left, memory and power of each.

    python benchmarks/h200/transformer_caches.py --model flux --budget 230 --out flux.jsonl
    python benchmarks/h200/transformer_caches.py --model tiny-flux --device cpu --out -      # a rehearsal

Weights are random, so that times are those of the real models and images mean nothing; thresholds are therefore
quantiles of the model's own changes. Prompts are random embeddings of the right width: no text encoder is built.
Each trial is timed in turn with the plain pipeline. Trials are measured in the order of `TRIALS` until the budget of
seconds is used. One JSON object a line; a table goes to stderr.
"""

import argparse
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

from accsearch.demo.operators import register_torchvision_operators

register_torchvision_operators()

from accsearch.methods.catalogue import METHODS  # noqa: E402
from accsearch.methods.combinations import complete, trial_id  # noqa: E402
from accsearch.methods.info import Nesting  # noqa: E402
from accsearch.worker.busy import kernel_seconds  # noqa: E402
from accsearch.worker.machine import Machine, choose_machine  # noqa: E402
from accsearch.worker.methods.calibration import Calibrations  # noqa: E402
from accsearch.worker.methods.compose import apply  # noqa: E402
from accsearch.worker.methods.layer_calls import counted  # noqa: E402
from accsearch.worker.methods.session import Unsupported  # noqa: E402
from accsearch.worker.monitor import Monitor, open_monitor  # noqa: E402
from accsearch.worker.paired_times import speedup  # noqa: E402

SKIPPING = frozenset({Nesting.FEATURES, Nesting.ATTENTION, Nesting.SAMPLER})
"""What a method that leaves out calls changes."""
Methods = Mapping[str, Mapping[str, Any]]
BLOCKS = {"compile": {"mode": "default", "regions": "blocks"}}
DBCACHE = {"cache_dit": {"first": 8, "last": 0, "threshold": 0.3, "warm_up": 3}}
TRIALS: tuple[Methods, ...] = (
    {"quantize": {"scheme": "fp8-dynamic"}, "first_block_cache": {"threshold": "p50"}},
    {"quantize": {"scheme": "fp8-dynamic"}},
    {"attention": {"backend": "cudnn"}},
    {"quantize": {"scheme": "int8-weight-only"}, "mag_cache": {"threshold": "p50"}},
    {**BLOCKS, "quantize": {"scheme": "fp8-dynamic"}},
    {**BLOCKS, "quantize": {"scheme": "fp8-dynamic"}, "first_block_cache": {"threshold": "p50"}},
    {"faster_cache": {}},
    {**BLOCKS, "step_cache": {"threshold": "p50"}},
    {"mag_cache": {"threshold": "p50"}, "pyramid_attention_broadcast": {}},
    {**BLOCKS, "first_block_cache": {"threshold": "p50"}},
    DBCACHE,
    BLOCKS,
    {"first_block_cache": {"threshold": "p50"}},
    {"mag_cache": {"threshold": "p50"}},
    {"step_cache": {"threshold": "p50"}},
    {"taylorseer": {"scope": "attention"}},
    {"taylorseer": {"scope": "blocks"}},
    {"pyramid_attention_broadcast": {}},
    {"guidance_cutoff": {"start": 10}},
    {"attention": {"backend": "flash"}},
    {**BLOCKS, "quantize": {"scheme": "int8-dynamic"}},
    {"quantize": {"scheme": "int8-weight-only"}},
    {"first_block_cache": {"threshold": 0.05}},
    {"fewer_steps": {"ratio": 0.5}},
)


def build_flux(device: torch.device) -> tuple[Any, dict[str, Any]]:
    """Build FLUX.1-dev (11.9 B) and one prompt for it: 512 tokens, embedded guidance."""
    from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel

    transformer = FluxTransformer2DModel(guidance_embeds=True)
    vae = AutoencoderKL(**AUTOENCODER, latent_channels=16, scaling_factor=0.3611, shift_factor=0.1159)
    scheduler = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=3.0)
    pipeline = FluxPipeline(scheduler, vae, None, None, None, None, transformer)
    prompt = {
        "prompt_embeds": _embeddings(device, 1, 512, 4096),
        "pooled_prompt_embeds": _embeddings(device, 1, 768),
        "guidance_scale": 3.5,
    }
    return pipeline, prompt


def build_sd35(device: torch.device) -> tuple[Any, dict[str, Any]]:
    """Build SD3.5-medium (2.2 B) and one prompt for it: 77 tokens of CLIP and 256 of T5, guided."""
    from diffusers import (
        AutoencoderKL,
        FlowMatchEulerDiscreteScheduler,
        SD3Transformer2DModel,
        StableDiffusion3Pipeline,
    )

    transformer = SD3Transformer2DModel(
        sample_size=128,
        num_layers=24,
        num_attention_heads=24,
        caption_projection_dim=1536,
        pos_embed_max_size=384,
        dual_attention_layers=tuple(range(13)),
        qk_norm="rms_norm",
    )
    vae = AutoencoderKL(**AUTOENCODER, latent_channels=16, scaling_factor=1.5305, shift_factor=0.0609)
    pipeline = StableDiffusion3Pipeline(
        transformer, FlowMatchEulerDiscreteScheduler(shift=3.0), vae, None, None, None, None, None, None
    )
    prompt = {
        "prompt_embeds": _embeddings(device, 1, 333, 4096),
        "negative_prompt_embeds": _embeddings(device, 1, 333, 4096),
        "pooled_prompt_embeds": _embeddings(device, 1, 2048),
        "negative_pooled_prompt_embeds": _embeddings(device, 1, 2048),
        "guidance_scale": 4.5,
    }
    return pipeline, prompt


def build_tiny(family: str, machine: Machine) -> tuple[Any, dict[str, Any]]:
    """Build a tiny pipeline and one prompt for it."""
    from accsearch.config.models import resolve_model
    from accsearch.worker.pipelines import load_pipeline
    from accsearch.worker.workload import Workload

    model = resolve_model({"name": "tiny", "model": f"builtin:tiny-{family}"})
    pipeline = load_pipeline(model, str(model.scheduler["_class_name"]).removesuffix("Scheduler"), machine)
    settings = {"num_inference_steps": 1, "guidance_scale": model.guidance}
    prompt = Workload(pipeline, ["a red cat"], machine, seed=0, settings=settings, size=64).arguments([0])
    kept = {
        name: value
        for name, value in prompt.items()
        if name not in ("latents", "generator", "height", "width")
    }
    return pipeline, kept


AUTOENCODER: dict[str, Any] = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
    "sample_size": 1024,
    "use_quant_conv": False,
    "use_post_quant_conv": False,
}
FULL: Mapping[str, Callable[[torch.device], tuple[Any, dict[str, Any]]]] = {
    "flux": build_flux,
    "sd35": build_sd35,
}


def _embeddings(device: torch.device, *shape: int) -> torch.Tensor:
    return torch.randn(shape, device=device, dtype=torch.get_default_dtype())


def built(model: str, machine: Machine) -> tuple[Any, dict[str, Any]]:
    """Build a model on the device in its type, random weights from the models' own initialisation."""
    if model not in FULL:
        return build_tiny(model.removeprefix("tiny-"), machine)
    before = torch.get_default_dtype()
    torch.set_default_dtype(machine.dtype)
    try:
        with torch.device(machine.device):
            pipeline, prompt = FULL[model](machine.device)
    finally:
        torch.set_default_dtype(before)
    return pipeline.to(machine.device), prompt


class Comparison:
    """Times trials in turn with the plain pipeline, one image a run."""

    def __init__(self, pipeline: Any, arguments: dict[str, Any], machine: Machine, monitor: Monitor) -> None:
        self.pipeline = pipeline
        self.arguments = arguments
        self.machine = machine
        self.monitor = monitor
        self.calibrations = Calibrations()

    def plain(self) -> Any:
        return self.pipeline(**self._fresh(), output_type="pt", return_dict=False)[0]

    def _fresh(self) -> dict[str, Any]:
        # The same noise in each run; no generator goes on from one to the next.
        return {**self.arguments, "generator": torch.Generator(self.machine.device).manual_seed(0)}

    def seconds(self, run: Callable[[], Any]) -> float:
        self.machine.synchronize()
        began = time.perf_counter()
        with torch.no_grad():
            run()
        self.machine.synchronize()
        return time.perf_counter() - began

    def baseline(self, repeats: int) -> dict[str, Any]:
        self.seconds(self.plain)
        times, power = self._timed([self.plain], repeats)
        return {"trial": "baseline", "seconds": median(times[0]), "calls_left": 1.0} | self._machine(
            self.plain, median(times[0]), power
        )

    def trial(self, methods: Methods, repeats: int) -> dict[str, Any]:
        """Measure one set of methods."""
        chosen = complete(methods)
        left, calibration = self._calls_left(chosen)
        began = time.perf_counter()
        with apply(self.pipeline, chosen, calibrations=self.calibrations) as applied:
            with torch.no_grad():
                applied.verify(**self._fresh())
            run = partial(self._applied, applied)
            first = self.seconds(run)
            entered = time.perf_counter() - began
            self.seconds(run)

            def plain() -> Any:
                with applied.suspended():
                    return self.plain()

            times, power = self._timed([run, plain], repeats)
            mine, base = times
            found = {"trial": trial_id(chosen), "seconds": median(mine), "calls_left": left}
            found |= {
                "set_up_seconds": entered - median(mine),
                "first_seconds": first,
                "calibration": calibration,
            }
            return found | self._gain(mine, base) | self._machine(run, median(mine), power)

    def by_cache_dit(self, repeats: int) -> dict[str, Any]:
        """Measure DBCache as its own documentation switches it on."""
        import cache_dit

        own = DBCACHE["cache_dit"]
        base = [self.seconds(self.plain) for _ in range(repeats)]
        config = cache_dit.DBCacheConfig(
            Fn_compute_blocks=own["first"],
            Bn_compute_blocks=own["last"],
            residual_diff_threshold=own["threshold"],
            max_warmup_steps=own["warm_up"],
        )
        cache_dit.enable_cache(self.pipeline, cache_config=config)
        try:
            self.seconds(self.plain)
            with counted(self.pipeline.transformer) as counts:
                self.seconds(self.plain)
            times, power = self._timed([self.plain], repeats)
            found = {
                "trial": "cache-dit's own enable_cache",
                "seconds": median(times[0]),
                "calls_left": counts.share,
            }
            found |= self._gain(times[0], base) | self._machine(self.plain, median(times[0]), power)
        finally:
            cache_dit.disable_cache(self.pipeline)
        return found

    def _applied(self, applied: Any) -> Any:
        return applied(**self._fresh())

    def _calls_left(self, methods: Methods) -> tuple[float, dict[str, Any]]:
        skipping = {name: each for name, each in methods.items() if METHODS[name].nesting in SKIPPING}
        if not skipping:
            return 1.0, {}
        with torch.no_grad(), apply(self.pipeline, skipping, calibrations=self.calibrations) as applied:
            applied.verify(**self._fresh())
            with counted(applied.denoiser) as counts:
                applied(**self._fresh())
        steps = self.arguments["num_inference_steps"]
        left = steps
        for name, each in skipping.items():
            left = METHODS[name].steps_left(each, left)
        return counts.share * left / steps, dict(applied.calibration)

    def _timed(self, runs: list[Callable[[], Any]], repeats: int) -> tuple[list[list[float]], float | None]:
        """Return the times of each of `runs`, in turn, and the mean power in the first of them."""
        found: list[list[float]] = [[] for _ in runs]
        watts = []
        with self.monitor.watching() as seen:
            for _ in range(repeats):
                for place, run in enumerate(runs):
                    began = time.perf_counter()
                    found[place].append(self.seconds(run))
                    power = seen.mean_power(began, time.perf_counter()) if place == 0 else None
                    watts += [power] if power is not None else []
        return found, sum(watts) / len(watts) if watts else None

    def _gain(self, mine: list[float], base: list[float]) -> dict[str, Any]:
        from math import log

        ratios = [log(before / after) for before, after in zip(base, mine, strict=True)]
        gain = speedup(ratios, len(ratios), len(ratios))
        return {"speedup": gain.value, "speedup_ci95": gain.interval}

    def _machine(self, run: Callable[[], Any], seconds: float, power: float | None) -> dict[str, Any]:
        busy = kernel_seconds(run, self.machine) / seconds if self.machine.is_cuda else None
        self.machine.reset_peak()
        self.seconds(run)
        return {
            "gpu_busy": None if busy is None else min(1.0, busy),
            "power_watts": power,
            "peak_memory_bytes": self.machine.peak(),
        }


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out what the packages say of each block."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def shown(line: Mapping[str, Any]) -> str:
    """Return a line of the table."""
    if line.get("error"):
        return f"{line['trial']:<75} {line['error']}"
    interval = "" if line.get("speedup_ci95") is None else "[{:.2f}, {:.2f}]".format(*line["speedup_ci95"])
    gain = f"{line.get('speedup', 1.0):.2f}x {interval}"
    busy = "" if line["gpu_busy"] is None else f"{line['gpu_busy']:.0%} busy"
    power = "" if line["power_watts"] is None else f"{line['power_watts']:.0f} W"
    memory = "" if line["peak_memory_bytes"] is None else f"{line['peak_memory_bytes'] / 2**30:.1f} GiB"
    times = f"{line['seconds']:.3f} s {gain:<22} {line['calls_left']:.2f} left"
    return f"{line['trial']:<75} {times} {busy} {power} {memory}"


def main() -> None:
    """Measure the model that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, help="flux, sd35, or tiny-flux, tiny-sd3 and so on")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--budget", type=float, default=230.0, help="seconds after which no further trial begins"
    )
    parser.add_argument("--without", nargs="*", default=[], help="methods whose trials are left out")
    parser.add_argument("--out", default="-")
    arguments = parser.parse_args()
    began = time.monotonic()
    machine = choose_machine(arguments.device, "bfloat16" if arguments.device == "cuda" else "float32")
    out = sys.stdout if arguments.out == "-" else Path(arguments.out).open("w", encoding="utf-8")  # noqa: SIM115

    def write(line: dict[str, Any]) -> None:
        facts = {
            "model": arguments.model,
            "steps": arguments.steps,
            "size": arguments.size,
            "gpu": machine.gpu_name,
        }
        print(json.dumps({**facts, **line}), file=out, flush=True)
        print(f"{time.monotonic() - began:5.0f} s  {shown(line)}", file=sys.stderr, flush=True)

    with quiet(), open_monitor(machine.gpu, frozenset()) as monitor:
        pipeline, prompt = built(arguments.model, machine)
        pipeline.set_progress_bar_config(disable=True)
        call = {"num_inference_steps": arguments.steps, "height": arguments.size, "width": arguments.size}
        comparison = Comparison(pipeline, {**prompt, **call}, machine, monitor)
        write(comparison.baseline(arguments.repeats))
        for methods in TRIALS:
            if methods.keys() & set(arguments.without):
                continue
            if time.monotonic() - began > arguments.budget:
                break
            for measure in (
                partial(comparison.trial, methods),
                *((comparison.by_cache_dit,) if methods is DBCACHE else ()),
            ):
                try:
                    write(measure(arguments.repeats))
                except (
                    Unsupported,
                    AssertionError,
                    ImportError,
                    RuntimeError,
                    TypeError,
                    ValueError,
                ) as error:
                    # One trial's failure must not cost the others their time on the device.
                    said = f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
                    write({"trial": "+".join(methods), "error": said})


if __name__ == "__main__":
    main()
