"""Train, export and evaluate the demo pipelines on one GPU (or, slowly, on a CPU), a stage at a time.

    python scripts/train_demo.py --stage all --out .train --minutes 8
    python scripts/train_demo.py --stage all-dit --out .train --minutes 5

The second is the diffusion transformer's, which needs the scorer and the autoencoder of the first.

Each stage leaves its weights in --out; running it again continues from them with a short warm-up.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "scripts")]

from accsearch.demo.operators import register_torchvision_operators  # noqa: E402

register_torchvision_operators()

from demo_training.autoencoder import train_autoencoder  # noqa: E402
from demo_training.caches import measure_caches  # noqa: E402
from demo_training.denoiser import train_denoiser  # noqa: E402
from demo_training.evaluation import evaluate  # noqa: E402
from demo_training.evaluation_transformer import evaluate_transformer  # noqa: E402
from demo_training.export import export  # noqa: E402
from demo_training.export_transformer import export_transformer  # noqa: E402
from demo_training.optimisation import CaptureError  # noqa: E402
from demo_training.scorer import train_scorer  # noqa: E402
from demo_training.stage import Options  # noqa: E402
from demo_training.t5 import train_t5  # noqa: E402
from demo_training.transformer import train_transformer  # noqa: E402

STAGES: dict[str, Callable[[Options], None]] = {
    "scorer": train_scorer,
    "judge": partial(train_scorer, name="judge"),
    "vae": train_autoencoder,
    "unet": train_denoiser,
    "export": export,
    "evaluate": evaluate,
    "t5": train_t5,
    "transformer": train_transformer,
    "export-dit": export_transformer,
    "evaluate-dit": evaluate_transformer,
    "caches-dit": measure_caches,
}
GROUPS = {
    "all": ("scorer", "judge", "vae", "unet", "export", "evaluate"),
    "all-dit": ("t5", "transformer", "export-dit", "evaluate-dit", "caches-dit"),
}
# Shares of the time that a group of stages is given; exporting and evaluating come on top.
SHARES = {"scorer": 0.12, "judge": 0.06, "vae": 0.12, "unet": 0.70, "t5": 0.05, "transformer": 0.95}


def main() -> None:
    """Run the stages that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stage", choices=[*STAGES, *GROUPS], required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of the stages' weights and curves")
    parser.add_argument(
        "--package", type=Path, default=ROOT / "src/accsearch/demo", help="where export writes"
    )
    parser.add_argument(
        "--minutes", type=float, default=8.0, help="training time of the stage, or of a group's"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--steps-scale", type=float, default=1.0, help="shrink batches and samples for a trial"
    )
    parser.add_argument("--eager", action="store_true", help="do not capture the steps as CUDA graphs")
    arguments = parser.parse_args()
    torch.backends.cudnn.benchmark = True
    # With torch 2.11 its backward pass gave NaN or failed with heads of 32 channels and 88 tokens.
    torch.backends.cuda.enable_cudnn_sdp(False)
    torch.set_float32_matmul_precision("high")
    arguments.out.mkdir(parents=True, exist_ok=True)
    options = Options(
        out=arguments.out,
        package=arguments.package,
        device=torch.device("cuda" if torch.cuda.is_available() else "cpu"),
        seconds=arguments.minutes * 60,
        seed=arguments.seed,
        scale=arguments.steps_scale,
        eager=arguments.eager,
    )
    if arguments.stage not in GROUPS:
        _run(arguments.stage, options)
        return
    for stage in GROUPS[arguments.stage]:
        _run(stage, replace(options, seconds=options.seconds * SHARES.get(stage, 1.0)))


def _run(stage: str, options: Options) -> None:
    """Run one stage; where its step cannot be captured, run it eagerly in a fresh process."""
    # The judge must not share the scorer's start or its data.
    seeded = replace(options, seed=options.seed + 1000) if stage == "judge" else options
    try:
        STAGES[stage](seeded)
    except CaptureError as error:
        print(
            f"WARNING: stage {stage} runs EAGERLY, several times slower: {error}", file=sys.stderr, flush=True
        )
        command = [
            *(sys.executable, __file__, "--eager", "--stage", stage),
            *("--out", str(options.out), "--package", str(options.package)),
            *("--minutes", str(options.seconds / 60), "--seed", str(options.seed)),
            *("--steps-scale", str(options.scale)),
        ]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
