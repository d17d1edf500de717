"""A benchmark of generated files: its tasks, and the grid by which the scheduler runs them."""

import hashlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from accsearch.codeeval.settings import Settings, command
from accsearch.config.schema import Config
from accsearch.errors import ConfigError, UsageError
from accsearch.grid import Grid, expand
from accsearch.sandbox.printable import printable
from accsearch.workdir import WorkDir

FILE_NAME = "benchmark.jsonl"
AXIS = "file"
SENTINEL = "Evaluated"
REQUIRED = ("id", "generated")
TEXTS = ("id", "generated", "level", "prompt", "reference")
LIMITS: Mapping[str, tuple[float, float]] = {
    "min_speedup": (0.01, 1000),
    "max_loss": (0, 1),
    "max_latency": (0.001, 86_400),
    "min_score": (0, 1_000_000),
    "timeout": (1, 604_800),
}
"""What a task may ask of its file, and from where to where each number may lie."""

HASH_LENGTH = 8
START_SECONDS = 600
SECONDS_AN_IMAGE = 60
"""Allowances for what a file's own limit does not cover: loading the scorer, scoring, a second look."""

_UNSAFE = re.compile(r"[^A-Za-z0-9.+-]+")


@dataclass(frozen=True, slots=True)
class BenchmarkTask:
    """One generated file with what is asked of it.

    `max_latency` is in seconds an image, `max_loss` a fraction, `min_score` in the scorer's own unit; `timeout` in
    seconds bounds this file's run. `place` is where the task is written.
    """

    id: str
    generated: Path
    level: str = "-"
    prompt: str = ""
    reference: Path | None = None
    min_speedup: float | None = None
    max_loss: float | None = None
    max_latency: float | None = None
    min_score: float | None = None
    timeout: float | None = None
    place: str = field(default="", compare=False)

    @property
    def axis_value(self) -> str:
        """The id with a hash of what the evaluation depends on, so that a changed file is another task."""
        files = [self.generated, *([] if self.reference is None else [self.reference])]
        parts = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
        digest = hashlib.sha256(json.dumps([parts, self.timeout]).encode()).hexdigest()
        name = _UNSAFE.sub("-", self.id).strip("-.+") or "file"
        return f"{name[:100]}.{digest[:HASH_LENGTH]}"


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
        return _distinct(
            [BenchmarkTask(id=file.stem, generated=file.resolve(), place=str(file)) for file in files]
        )
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error
    tasks = [_task(line, path, number) for number, line in enumerate(lines, 1) if line.strip()]
    if not tasks:
        raise UsageError(f"{path}: no task in it")
    return _distinct(tasks)


def _distinct(tasks: list[BenchmarkTask]) -> list[BenchmarkTask]:
    """Return `tasks`; raise ConfigError if two have one id, or ids that make one task of the scheduler."""
    known: dict[str, BenchmarkTask] = {}
    for task in tasks:
        for name in {task.id, task.axis_value}:
            other = known.setdefault(name, task)
            if other is not task:
                raise ConfigError(
                    f"{printable(task.id)} is there twice, see {other.place} (allowed: ids that differ in letters, "
                    "digits, `.`, `+` and `-`)",
                    file=task.place,
                    key="id",
                )
    return tasks


def _task(line: bytes, path: Path, number: int) -> BenchmarkTask:
    try:
        value = json.loads(line.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"not JSON: {printable(error)}", file=path, line=number) from None
    if not isinstance(value, dict):
        raise ConfigError("not a JSON object", file=path, line=number)
    allowed = (*TEXTS, *LIMITS)
    for key in sorted(value.keys() - set(allowed)):
        raise ConfigError(
            f"unknown key (allowed {', '.join(allowed)})", file=path, line=number, key=printable(key)
        )
    for key in TEXTS:
        absent = key not in value or (key == "reference" and value[key] is None)
        if (absent and key in REQUIRED) or not (absent or isinstance(value[key], str)):
            raise ConfigError("missing, or not a text", file=path, line=number, key=key)
    for key, (lowest, highest) in LIMITS.items():
        limit = value.get(key)
        number_given = isinstance(limit, int | float) and not isinstance(limit, bool)
        if limit is not None and not (number_given and lowest <= limit <= highest):
            raise ConfigError(
                f"not a number within limits (allowed {lowest:g} to {highest:.0f})",
                file=path,
                line=number,
                key=key,
            )
    folder = path.resolve().parent
    reference = value.get("reference")
    return BenchmarkTask(
        id=value["id"],
        generated=_file(folder, value["generated"], path, number, "generated"),
        level=value.get("level", "-"),
        prompt=value.get("prompt", ""),
        reference=None if reference is None else _file(folder, reference, path, number, "reference"),
        place=f"{path}:{number}",
        **{key: value.get(key) for key in LIMITS},
    )


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def _file(folder: Path, name: str, path: Path, number: int, key: str) -> Path:
    file = folder / name
    try:
        found = file.is_file()
    except OSError:
        # The name is too long for a path.
        found = False
    if not found:
        raise ConfigError(f"no file {printable(name)}", file=path, line=number, key=key)
    return file


def grid_of(source: Path, tasks: Sequence[BenchmarkTask], workdir: WorkDir, settings: Settings) -> Grid:
    """Return one task of the scheduler for each file; every one writes its evaluation as its result line."""
    stem = source.parent.name if source.name == FILE_NAME else source.stem
    name = "evaluate-" + (_UNSAFE.sub("-", stem).strip("-.+") or "files")
    out = str(workdir.task(name, f"{{{AXIS}}}").results)
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
                "timeout": _seconds(tasks, settings),
            },
            "gpus": {"allow_cpu": True, "max_used_memory": "2GiB", "min_free_memory": "4GiB"},
            "retry": {"max_attempts": 2},
        }
    )
    return expand(config)


def _seconds(tasks: Sequence[BenchmarkTask], settings: Settings) -> float:
    """Return how long the evaluation of any of the tasks may take, the checks after its paired run included."""
    longest = max(task.timeout or settings.timeout for task in tasks)
    # The baseline's images do not count towards a file's limit, and there are about three times as many.
    return 4 * longest + START_SECONDS + SECONDS_AN_IMAGE * settings.repeats * settings.images


def find_entry(tasks: Sequence[BenchmarkTask], name: str) -> BenchmarkTask:
    """Return the task that `name` (an id or an axis value) means; raises UsageError."""
    found = [task for task in tasks if task.axis_value == name] or [task for task in tasks if task.id == name]
    if found:
        return found[0]
    raise UsageError(f"no task {name} in the benchmark")
