"""Run as a program: compare what `best --snippet` prints with the same without accsearch, for trials on stdin."""

import json
import sys
from pathlib import Path

import numpy
import torch
from tests.report.test_elsewhere import ROW, without

from accsearch.config.load import load_config
from accsearch.demo.operators import mend_torchvision
from accsearch.methods.combinations import methods_of
from accsearch.report.snippet import snippet_of
from accsearch.report.thresholds import ratios
from accsearch.task import Task
from accsearch.worker.methods.calibration import Calibrations
from accsearch.worker.methods.compose import apply

STEPS = 6


def image(program: str) -> numpy.ndarray:
    """Return the image of a program, from the same noise each time."""
    torch.manual_seed(3)
    names: dict[str, object] = {}
    exec(program, names)  # noqa: S102
    return numpy.asarray(names["image"])


def main() -> None:
    """Print a JSON object: trial → whether the images are equal, whether they differ from the plain one."""
    mend_torchvision()
    answers = {}
    for pipe, scheduler, trial in json.load(sys.stdin):
        axes = {"pipe": pipe, "sched": scheduler, "steps": STEPS}
        path = Path("c.yaml")
        path.write_text(
            f"grid: {{pipe: [{pipe}], sched: [{scheduler}], steps: [{STEPS}]}}\n"
            "worker: {device: cpu, dtype: float32}\n",
            encoding="utf-8",
        )
        config, task, found = load_config(path), Task("t", "c", axes, ""), None
        plain = snippet_of(ROW, "fewer_steps-r0.99", config, task)
        if trial.startswith("mag_cache"):
            names: dict[str, object] = {}
            exec(plain.partition("with accsearch")[0], names)  # noqa: S102
            kept = Path("kept.json")
            more = {"num_inference_steps": STEPS, **config.model(pipe).call}
            with apply(names["pipe"], methods_of(trial), seed=42, calibrations=Calibrations(kept)) as applied:
                applied.verify(prompt="your prompt", guidance_scale=config.model(pipe).guidance, **more)
            found = ratios(kept)
        program = snippet_of(ROW, trial, config, task, found)
        ours, theirs = image(program), image(without(program))
        baseline = image(without(plain))
        answers[trial] = [bool((ours == theirs).all()), bool((ours != baseline).any())]
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
