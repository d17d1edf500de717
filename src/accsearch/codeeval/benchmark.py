"""A benchmark of generated files: its tasks, and the grid by which the scheduler runs them."""

import hashlib
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accsearch.codeeval.settings import Settings, command
from accsearch.config.schema import Config
from accsearch.errors import ConfigError, UsageError
from accsearch.grid import Grid, expand
from accsearch.workdir import WorkDir

FILE_NAME = "benchmark.jsonl"
AXIS = "file"
SENTINEL = "Evaluated"
KEYS = {
    "id",
    "level",
    "prompt",
    "reference",
    "generated",
    "min_speedup",
    "max_loss",
    "max_latency",
    "timeout",
}
HASH_LENGTH = 8
_UNSAFE = re.compile(r"[^A-Za-z0-9.+-]+")


@dataclass(frozen=True, slots=True)
class BenchmarkTask:
    """One generated file with what is asked of it.

    `max_latency` is in seconds an image, `max_loss` a fraction; `timeout` in seconds bounds this file's run.
    """

    id: str
    generated: Path
    level: str = "-"
    prompt: str = ""
    reference: Path | None = None
    min_speedup: float | None = None
    max_loss: float | None = None
    max_latency: float | None = None
    timeout: float | None = None

    @property
    def axis_value(self) -> str:
        """The id with a hash of both files, so that a changed file is another task."""
        digest = hashlib.sha256(self.generated.read_bytes())
        if self.reference is not None:
            digest.update(b"\0" + self.reference.read_bytes())
        name = _UNSAFE.sub("-", self.id).strip("-.+") or "file"
        return f"{name[:100]}.{digest.hexdigest()[:HASH_LENGTH]}"


def load_benchmark(path: Path) -> list[BenchmarkTask]:
    """Return the tasks of a benchmark file, or of a folder: its `benchmark.jsonl`, else its Python files.

    Raises UsageError or, for a wrong line, ConfigError.
    """
    if path.is_dir():
        if (path / FILE_NAME).is_file():
            return load_benchmark(path / FILE_NAME)
        files = sorted(path.glob("*.py"))
        if not files:
            raise UsageError(f"{path}: neither {FILE_NAME} nor a Python file in it")
        return [BenchmarkTask(id=file.stem, generated=file.resolve()) for file in files]
    tasks: list[BenchmarkTask] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            task = _task(line, path, number)
            if task.id in {known.id for known in tasks}:
                raise ConfigError(f"{task.id} is there twice", file=path, line=number, key="id")
            tasks.append(task)
    if not tasks:
        raise UsageError(f"{path}: no task in it")
    return tasks


def _task(line: str, path: Path, number: int) -> BenchmarkTask:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise ConfigError(f"not JSON: {error}", file=path, line=number) from None
    if not isinstance(value, dict):
        raise ConfigError("not a JSON object", file=path, line=number)
    for key in ("id", "generated"):
        if not isinstance(value.get(key), str):
            raise ConfigError("missing, or not a text", file=path, line=number, key=key)
    for key in sorted(value.keys() - KEYS):
        raise ConfigError(f"unknown key (allowed {', '.join(sorted(KEYS))})", file=path, line=number, key=key)
    for key in ("min_speedup", "max_loss", "max_latency", "timeout"):
        if value.get(key) is not None and not isinstance(value[key], int | float):
            raise ConfigError("not a number", file=path, line=number, key=key)
    folder = path.resolve().parent
    return BenchmarkTask(
        id=value["id"],
        generated=_file(folder, value["generated"], path, number, "generated"),
        level=str(value.get("level", "-")),
        prompt=str(value.get("prompt", "")),
        reference=_file(folder, value["reference"], path, number, "reference")
        if value.get("reference")
        else None,
        min_speedup=value.get("min_speedup"),
        max_loss=value.get("max_loss"),
        max_latency=value.get("max_latency"),
        timeout=value.get("timeout"),
    )


def _file(folder: Path, name: Any, path: Path, number: int, key: str) -> Path:
    file = folder / str(name)
    if not file.is_file():
        raise ConfigError(f"no file {name}", file=path, line=number, key=key)
    return file


def grid_of(source: Path, tasks: Sequence[BenchmarkTask], workdir: WorkDir, settings: Settings) -> Grid:
    """Return one task of the scheduler for each file; every one writes its evaluation as its result line."""
    stem = source.parent.name if source.name == FILE_NAME else source.stem
    name = "evaluate-" + (_UNSAFE.sub("-", stem).strip("-.+") or "files")
    out = str(workdir.results / name / f"{{{AXIS}}}.jsonl")
    arguments = ["--benchmark", str(source.resolve()), "--entry", f"{{{AXIS}}}", "--out", out]
    config = Config.model_validate(
        {
            "name": name,
            "grid": {AXIS: [task.axis_value for task in tasks]},
            "worker": {
                "kind": "command",
                "device": settings.device,
                "command": command(sys.executable, arguments, settings),
                "success_sentinel": SENTINEL,
                # What a generated file prints is no failure of its evaluation.
                "failure_patterns": [],
                "timeout": settings.timeout * 3 + 300,
            },
            "gpus": {"allow_cpu": True, "max_used_memory": "2GiB", "min_free_memory": "4GiB"},
            "retry": {"max_attempts": 2},
        }
    )
    return expand(config)


def find_entry(tasks: Sequence[BenchmarkTask], name: str) -> BenchmarkTask:
    """Return the task that `name` (an id, or what stands on the axis) means; raises UsageError."""
    for task in tasks:
        if name in (task.id, task.axis_value):
            return task
    raise UsageError(f"no task {name} in the benchmark")
