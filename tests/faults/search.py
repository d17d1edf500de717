"""A search of tiny pipelines whose worker measures nothing: it writes the lines that the test wants.

The plan, the trials, the keeper, the warm process and the judgement are the real ones; only what a worker does is taken
over, by a `sitecustomize` on the worker's PYTHONPATH, before it loads torch.
"""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from tests.faults.forked import write_worker
from tests.faults.program import Work

METHODS: Mapping[str, Any] = {"tome": {"ratio": [0.3, 0.5], "max_downsample": [1]}}
TASK = "tiny_DDIM_4"
WORKER = """
import json


def main(words):
    from pathlib import Path

    from accsearch.checkpoint.plan import load_plan
    from accsearch.grid.setting import reuse_key, setting_of
    from accsearch.workdir import WorkDir

    given = dict(zip(words[::2], words[1::2]))
    workdir = WorkDir(Path(given["--workdir"]))
    name = given["--task"]
    grid = load_plan(workdir, given["--config"]).grid
    (task,) = [task for task in grid.tasks if task.id == name]
    samples, batch = grid.config.worker.num_samples, int(given["--batch_size"])
    dtype = grid.config.worker.dtype
    setting = setting_of(grid.config, task, batch_size=batch, dtype=dtype, gpu_model=None)
    with open(Path(__file__).with_name("history"), "a") as history:
        print(name, given["--attempt"], file=history)
    changes = json.loads(Path(__file__).with_name("changes").read_text())
    line = {
        "task": name, "dtype": dtype, "attempt": int(given["--attempt"]), "status": "ok", "times": [1.0, 1.0],
        "seconds_per_image": 1.0, "clip_score": 30.0, "scores": [29.0, 31.0] * (samples // 2), "num_samples": samples,
        "batch_size": batch, "seed": grid.config.worker.seed,
        "speedup": 1.0, "speedup_ci95": [1.0, 1.0], "score_loss": 0.0, "score_loss_ci95": [0.0, 0.0],
    }
    with open(workdir.task(task.config, name).results, "a") as results:
        for trial in task.trials:
            own = {"trial": trial.id, "methods": {key: dict(value) for key, value in trial.methods.items()}}
            line["key"] = reuse_key(setting, trial.methods, changes.get(trial.id, {}).get("condition"))
            print(json.dumps(line | own | changes.get(trial.id, {})), file=results)
    print("Successfully completed", name, flush=True)
"""


class Search:
    """A configuration c.yaml of one task and three trials in `work`, measured by the worker above."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._fake = write_worker(work.folder / "fake", WORKER)
        self.answer({})
        self.prompts("a red circle\na blue square\n")

    def answer(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Let the lines of these trials (trial id → fields) differ from a baseline's."""
        (self._fake / "changes").write_text(json.dumps(changes))

    def prompts(self, text: str) -> None:
        """Write the prompts file."""
        (self._work.folder / "prompts.txt").write_text(text)

    def configure(
        self, pipe: Any = None, name: str = "c", steps: Sequence[int] = (4,), **sections: Any
    ) -> None:
        """Write NAME.yaml."""
        path = os.pathsep.join(filter(None, (str(self._fake), self._work.env.get("PYTHONPATH"))))
        worker = {"num_samples": 2, "batch_size": 2, "device": "cpu", "dtype": "float32"}
        worker |= {"env": {"PYTHONPATH": path}}
        config = {
            "grid": {
                "pipe": [pipe or {"name": "tiny", "model": "builtin:tiny-sd"}],
                "sched": ["DDIM"],
                "steps": list(steps),
            },
            "prompts": {"file": "prompts.txt"},
            "quality": {"model": "builtin:tiny"},
            "methods": METHODS,
            "retry": {"max_attempts": 1, "backoff": "0s"},
            **sections,
            "worker": worker | sections.get("worker", {}),
        }
        (self._work.folder / f"{name}.yaml").write_text(json.dumps(config))

    def history(self) -> list[str]:
        """Return `TASK ATTEMPT` of every worker that was started."""
        path = self._fake / "history"
        return path.read_text().splitlines() if path.exists() else []

    def lines(self, task: str = TASK) -> list[dict[str, Any]]:
        """Return what stands in the results file of a task of `c`."""
        path = self._work.root / "results" / "c" / f"{task}.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]

    def trials(self, task: str = TASK) -> list[str]:
        """Return the ids of the trials that were measured, the baseline first."""
        return list(dict.fromkeys(line["trial"] for line in self.lines(task)))
