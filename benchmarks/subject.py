"""What a benchmark of the worker measures: one pipeline, opened as a task's worker opens it."""

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from accsearch.config.load import build_config
from accsearch.demo.operators import register_torchvision_operators
from accsearch.grid import expand
from accsearch.workdir import WorkDir
from accsearch.worker.assignment import Assignment
from accsearch.worker.loaded_task import LoadedTask, open_task
from accsearch.worker.quiet import hush_loaded


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is measured; their defaults are the embedded demo pipeline on the CPU."""
    parser.add_argument("--pipe", default="demo", help="alias or diffusers folder")
    parser.add_argument("--sched", default="DDIM")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--batch_size", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--repeats", type=int, default=6, help="pairs of the pilot")
    parser.add_argument("--max_repeats", type=int, default=30, help="most pairs of a comparison")


@contextmanager
def open_subject(options: argparse.Namespace, methods: Mapping[str, Any]) -> Iterator[LoadedTask]:
    """Load the pipeline that the options name, for the trials of a `methods` section."""
    register_torchvision_operators()
    hush_loaded()
    with (
        tempfile.TemporaryDirectory() as folder,
        open_task(_assignment(options, methods, Path(folder))) as loaded,
    ):
        yield loaded


def _assignment(options: argparse.Namespace, methods: Mapping[str, Any], folder: Path) -> Assignment:
    named = options.pipe if options.pipe == "demo" else {"name": "pipe", "model": options.pipe}
    samples = getattr(options, "num_samples", options.batch_size)
    worker = ("batch_size", "device", "dtype", "repeats", "max_repeats")
    config = build_config(
        {
            "name": "benchmark",
            "grid": {"pipe": [named], "sched": [options.sched], "steps": [options.steps]},
            "worker": {"num_samples": samples, **{key: getattr(options, key) for key in worker}},
            "prompts": {"file": "builtin:demo"},
            "quality": {"model": "builtin:demo"},
            "methods": dict(methods),
        }
    )
    task = expand(config).tasks[0]
    paths = WorkDir(folder).task(config.name, task.id)
    return Assignment(config, task, paths, 1, samples, options.batch_size)
