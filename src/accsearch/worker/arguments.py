"""The worker's command line: the original script's arguments, and what a run adds."""

import argparse
from collections.abc import Sequence
from pathlib import Path


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Return the parsed arguments; exits with 2 and a line on stderr for a wrong command line."""
    parser = argparse.ArgumentParser(
        prog="python -m accsearch.worker",
        description="Measure every acceleration configuration of one cell, the baseline first.",
    )
    parser.add_argument("--pipe", help="model: an alias of a known one, or a folder or hub repository")
    parser.add_argument("--sched", help="scheduler class of diffusers, as DDIM")
    parser.add_argument("--steps", type=_positive, help="sampler steps")
    parser.add_argument("--num_samples", type=_positive, help="prompts per trial")
    parser.add_argument("--batch_size", type=_positive, help="images per call of the pipeline")
    parser.add_argument("--workdir", type=Path, help="work directory of a run, for a task of its plan")
    parser.add_argument("--config", help="name of the configuration in the work directory")
    parser.add_argument("--task", help="id of the task in the configuration's plan")
    parser.add_argument("--attempt", type=_positive, default=1, help="which attempt of the task this is")
    parser.add_argument("--replay", metavar="TRIAL", help="measure one stored trial again and compare")
    parsed = parser.parse_args(argv)
    cell = (parsed.pipe, parsed.sched, parsed.steps)
    planned = (parsed.workdir, parsed.config, parsed.task)
    if not any(planned):
        if None in cell:
            parser.error("give --pipe, --sched and --steps, or --workdir, --config and --task")
        if parsed.replay is not None:
            parser.error("--replay needs --workdir, --config and --task")
    elif None in planned or any(cell):
        parser.error("give --workdir, --config and --task together, without --pipe, --sched and --steps")
    return parsed


def _positive(text: str) -> int:
    value = int(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return value
