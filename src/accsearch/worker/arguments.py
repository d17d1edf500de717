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
    parser.add_argument("--pipe", required=True, help="model: an alias, or its name in the configuration")
    parser.add_argument("--sched", required=True, help="scheduler class of diffusers, as DDIM")
    parser.add_argument("--steps", required=True, type=_positive, help="sampler steps")
    parser.add_argument("--num_samples", type=_positive, help="prompts per trial")
    parser.add_argument("--batch_size", type=_positive, help="images per call of the pipeline")
    parser.add_argument(
        "--workdir", type=Path, help="work directory of a run; without it, one cell by itself"
    )
    parser.add_argument("--config", help="name of the configuration in the work directory")
    parser.add_argument("--attempt", type=_positive, default=1, help="which attempt of the task this is")
    parser.add_argument("--replay", metavar="TRIAL", help="measure one stored trial again and compare")
    parsed = parser.parse_args(argv)
    if (parsed.workdir is None) != (parsed.config is None):
        parser.error("--workdir and --config go together")
    if parsed.replay is not None and parsed.workdir is None:
        parser.error("--replay needs --workdir and --config")
    return parsed


def _positive(text: str) -> int:
    value = int(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return value
