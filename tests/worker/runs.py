"""Run the real worker on tiny random pipelines, in this process."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from accsearch.checkpoint.plan import store_plan
from accsearch.config.load import build_config
from accsearch.grid import Grid, command_line, expand
from accsearch.result_lines.file import latest, read
from accsearch.result_lines.line import ResultLine
from accsearch.workdir import WorkDir
from accsearch.worker.main import main

METHODS: dict[str, Any] = {
    "deepcache": {"cache_interval": [2], "cache_branch_id": [0]},
    "tome": {"ratio": [0.5]},
}


class Run:
    """One task of one configuration in a work directory."""

    def __init__(self, root: Path, paths: dict[str, Path], **sections: Any) -> None:
        prompts = root / "prompts.txt"
        prompts.write_text(sections.pop("text", "a red cat\na blue house in the large tree\nthe small dog\n"))
        worker = {"device": "cpu", "dtype": "float32", "num_samples": 3, "batch_size": 2, "repeats": 2}
        family = sections.pop("family", "sd")
        config = build_config(
            {
                "name": "tiny",
                "grid": {
                    "pipe": [{"name": "tiny", "model": str(paths[family])}],
                    "sched": [sections.pop("sched", "DDIM")],
                    "steps": [4],
                },
                "worker": {**worker, "max_repeats": 2, **sections.pop("worker", {})},
                "prompts": {"file": str(prompts)},
                "quality": sections.pop("quality", {"model": f"local-dir:{paths['scorer']}"}),
                "methods": sections.pop("methods", METHODS),
                **sections,
            }
        )
        self.grid: Grid = expand(config)
        self.task = self.grid.tasks[0]
        self.workdir = WorkDir(root)
        self.workdir.create(config.name)
        store_plan(self.workdir, self.grid, {}, None, root)

    @property
    def results(self) -> Path:
        return self.workdir.task("tiny", self.task.id).results

    def arguments(self, attempt: int = 1, batch_size: int = 2) -> list[str]:
        """Return the worker's arguments as the scheduler gives them."""
        argv = command_line(
            self.grid.config, self.task, attempt=attempt, batch_size=batch_size, workdir=self.workdir.root
        )
        return argv[argv.index("accsearch.worker") + 1 :]

    def work(self, attempt: int = 1, batch_size: int = 2, more: Sequence[str] = ()) -> int:
        """Run an attempt and return its exit code."""
        return main([*self.arguments(attempt, batch_size), *more])

    def lines(self) -> dict[str, ResultLine]:
        """Return the last line of each trial."""
        return latest(read(self.results))
