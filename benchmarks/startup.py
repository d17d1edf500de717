"""How long a task takes to start: `startup.py [--model PATH] [--device cuda] [--tasks 5]`.

Runs the same tasks on one slot, each the baseline of a single image at a few steps: once with every worker started as a
program (`worker.warm: false`), once with workers forked from a warm process. Startup is from a worker's launch until it
begins to generate its first image, with the pipeline, the prompts and the scorer loaded; "first image" is until that
image is there. The first forked worker waits for the imports of the warm process and is shown apart.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from accsearch.result_lines.file import read
from accsearch.result_lines.line import ResultLine

FEWEST_STEPS = 2


def main() -> None:
    """Print one line for each way to start a worker."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--model", default="demo", help="folder of a pipeline, or a name as in a configuration"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--scorer", help="quality.model, as builtin:demo; none without it")
    parser.add_argument("--tasks", type=int, default=5, help="at least 2")
    options = parser.parse_args()
    print(f"{'worker':<30}{'tasks':>6}{'startup s':>12}{'first image s':>15}")
    with tempfile.TemporaryDirectory(prefix="accsearch-startup-") as folder:
        cold = _run(Path(folder, "cold"), options, warm=False)
        forked = _run(Path(folder, "warm"), options, warm=True)
    _show("started as a program", cold)
    _show("forked, first of the slot", forked[:1])
    _show("forked, every later one", forked[1:])
    ratio = _median(cold) / _median(forked[1:])
    print(f"a later task starts {ratio:.1f} times faster than as a program")


def _run(folder: Path, options: argparse.Namespace, *, warm: bool) -> list[ResultLine]:
    """Run the tasks and return their baselines in the order in which they ran."""
    folder.mkdir()
    cuda = options.device == "cuda"
    model = options.model if options.model == "demo" else str(Path(options.model).resolve())
    worker: dict[str, Any] = {"num_samples": 1, "batch_size": 1, "repeats": 1, "max_repeats": 1, "warmup": 0}
    worker |= {"device": options.device, "dtype": "float16" if cuda else "float32", "warm": warm}
    steps = list(range(FEWEST_STEPS, FEWEST_STEPS + options.tasks))
    pipe = {"name": "model", "model": "builtin:demo" if model == "demo" else model}
    config = {
        "grid": {"pipe": [pipe], "sched": ["DDIM"], "steps": steps},
        "worker": worker,
        "prompts": {"file": "builtin:demo"},
        "quality": None if options.scorer is None else {"model": options.scorer},
        "methods": {},
        "search": {"strategy": "traversal"},
    }
    path = folder / "startup.yaml"
    path.write_text(json.dumps(config))
    slots = ["--gpus", "0"] if cuda else ["--gpus", "none", "--slots", "1"]
    command = [sys.executable, "-m", "accsearch", "run", str(path), *slots, "--workdir", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    done = [json.loads(each.read_text()) for each in (folder / "checkpoints/startup").glob("*.done")]
    done.sort(key=lambda marker: marker["started_at"])
    return [read(folder / marker["results"]["path"])[-1] for marker in done]


def _show(name: str, lines: list[ResultLine]) -> None:
    images = statistics.median((line.startup_seconds or 0.0) + line.times[0] for line in lines)
    print(f"{name:<30}{len(lines):>6}{_median(lines):>12.2f}{images:>15.2f}")


def _median(lines: list[ResultLine]) -> float:
    return statistics.median(line.startup_seconds or 0.0 for line in lines)


if __name__ == "__main__":
    main()
