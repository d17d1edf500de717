"""What the training stages share: their options, their state files, their curves and their loop."""

import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from demo_training.optimisation import Optimiser, Step

CHECKPOINT_SECONDS = 60.0
WARM_UP_STEPS = 200
LOG_STEPS = 50
LEAST_STEPS = 2


@dataclass(frozen=True)
class Options:
    """How a stage is run: where its files are, for how long, and how large its batches are."""

    out: Path
    package: Path
    device: torch.device
    seconds: float
    seed: int
    scale: float
    eager: bool

    def scaled(self, size: int, least: int = 8) -> int:
        """Shrink a batch or a sample for a trial run."""
        return max(least, int(size * self.scale))

    def state_file(self, name: str) -> Path:
        """Name the file of a stage's weights."""
        return self.out / f"{name}.safetensors"

    def load(self, name: str) -> dict[str, Tensor] | None:
        """Read a stage's weights, or None where it has not run."""
        path = self.state_file(name)
        return load_file(path) if path.exists() else None

    def require(self, name: str) -> dict[str, Tensor]:
        """Read the weights that a later stage needs."""
        state = self.load(name)
        if state is None:
            raise SystemExit(f"{self.state_file(name)} is missing: run its stage first")
        return state

    def save(self, name: str, state: dict[str, Tensor]) -> None:
        """Replace a stage's weights at once, so that a run killed while saving keeps the last ones."""
        temporary = self.out / f"{name}.partial"
        save_file(state, temporary)
        temporary.replace(self.state_file(name))

    def log(self, stage: str, **figures: float) -> None:
        """Append a line to the curves."""
        line = json.dumps({"stage": stage, **figures})
        with (self.out / "curves.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        print(line, file=sys.stderr, flush=True)


def train(
    name: str,
    options: Options,
    optimiser: Optimiser,
    step: Step,
    metrics: tuple[str, ...],
    peak_rate: float,
    save: Callable[[], None],
) -> None:
    """Repeat `step` for the stage's time: a short warm-up, then a learning rate that falls as a cosine.

    `step` returns the named metrics as one tensor, the loss first.
    """
    start = saved = time.monotonic()
    steps = 0
    while steps < LEAST_STEPS or time.monotonic() - start < options.seconds:
        elapsed = time.monotonic() - start
        if steps % 10 == 0:
            share = min(1.0, elapsed / options.seconds)
            cosine = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share))
            optimiser.rate.fill_(peak_rate * cosine * min(1.0, (steps + 1) / WARM_UP_STEPS))
        values = step()
        steps += 1
        if steps % LOG_STEPS == 0:
            # Reading the values waits for the device, so replays cannot run far ahead of the clock.
            figures = dict(zip(metrics, values.tolist(), strict=True))
            if not math.isfinite(figures[metrics[0]]):
                raise SystemExit(f"stage {name}: the loss is no longer finite after {steps} steps")
            if steps % (10 * LOG_STEPS) == 0 or steps == LOG_STEPS:
                options.log(name, steps=steps, seconds=round(elapsed, 1), **figures)
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            save()
            saved = time.monotonic()
    save()
    figures = dict(zip(metrics, values.tolist(), strict=True))
    seconds = round(time.monotonic() - start, 1)
    options.log(name, steps=steps, seconds=seconds, ended_from_peak_rate=peak_rate, **figures)
