"""Every path of the work directory, and the one atomic write."""

import contextlib
import errno
import json
import os
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accsearch.errors import StorageError

TEMPORARY = ".tmp"
"""Ending of a file that is being written; before it stands the pid of who writes it."""
PRIVATE = 0o600
"""Mode of a file that may hold a token."""
SHARED = 0o666
"""Mode of a file that is made to be shown, such as a report; the umask takes from it what it takes from any."""


RUNNING, EXIT, DONE, FAILED = ".running", ".exit", ".done", ".failed"
"""Endings of a task's markers."""
ASIDE = ".aside"
"""Ending added to the name of a marker that no longer holds."""
LOG, RESULTS, CALIBRATION = ".log", ".jsonl", ".calibration.json"


@dataclass(frozen=True, slots=True)
class TaskPaths:
    """The files of one task; the fields are their paths without the endings.

    Plain text, of which a Path is made when it is asked for: most of the paths of 10,000 tasks never are.
    """

    _marker: str
    _log: str
    _results: str

    @property
    def running(self) -> Path:
        return Path(self._marker + RUNNING)

    @property
    def exit(self) -> Path:
        return Path(self._marker + EXIT)

    @property
    def done(self) -> Path:
        return Path(self._marker + DONE)

    @property
    def failed(self) -> Path:
        return Path(self._marker + FAILED)

    @property
    def log(self) -> Path:
        return Path(self._log + LOG)

    @property
    def results(self) -> Path:
        return Path(self._results + RESULTS)

    @property
    def calibration(self) -> Path:
        """The figures that methods took from plain generations."""
        return Path(self._results + CALIBRATION)

    @property
    def images(self) -> Path:
        """The folder of the images that are kept."""
        return Path(self._results)

    def log_of(self, attempt: int, ids: Set[str]) -> Path:
        """Return where the log of an earlier attempt is kept, beside those of the grid's tasks `ids`.

        `7.1.log` is the first attempt of task `7`, unless there is a task `7.1`: it is `7.~1.log` then.
        """
        task = Path(self._log).name
        number = f"~{attempt}" if f"{task}.{attempt}" in ids else str(attempt)
        return Path(f"{self._log}.{number}{LOG}")


@dataclass(frozen=True, slots=True)
class WorkDir:
    """The folder that holds checkpoints/, logs/ and results/, each with a folder per configuration."""

    root: Path

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def results(self) -> Path:
        return self.root / "results"

    @property
    def lock(self) -> Path:
        """Held (flock) by the one scheduler of this work directory; its content is that scheduler's pid."""
        return self.checkpoints / ".scheduler.lock"

    @property
    def waiting(self) -> Path:
        """What the running scheduler's pending tasks wait for, for `status`."""
        return self.checkpoints / ".waiting.json"

    @property
    def jobs(self) -> Path:
        """What a cluster's jobs find in a folder of each submission, while they are in its queue or run."""
        return self.checkpoints / ".jobs"

    @property
    def queue(self) -> Path:
        """Why the jobs of the running scheduler wait in a cluster's queue, for `status`."""
        return self.checkpoints / ".queue.json"

    def plan(self, config: str) -> Path:
        return self.checkpoints / config / "plan.json"

    def configs(self) -> list[str]:
        """Return the names of the configurations that have a stored plan, sorted."""
        return sorted(path.parent.name for path in self.checkpoints.glob("*/plan.json"))

    def task(self, config: str, task: str) -> TaskPaths:
        """Return where the files of a task are."""
        markers, logs, results = self.prefixes(config)
        return TaskPaths(markers + task, logs + task, results + task)

    def prefixes(self, config: str) -> tuple[str, str, str]:
        """Return how the paths of markers, logs and results begin; the task's id and an ending follow.

        For those who read 10,000 tasks, where a Path for each file would take most of the time.
        """
        root = str(self.root)
        return f"{root}/checkpoints/{config}/", f"{root}/logs/{config}/", f"{root}/results/{config}/"

    def marked(self, ending: str, config: str = "*") -> list[tuple[str, Path]]:
        """Return CONFIG/TASK and path of every marker with this ending, sorted by path."""
        found = sorted(self.checkpoints.glob(f"{config}/*{ending}"))
        return [(f"{path.parent.name}/{path.name.removesuffix(ending)}", path) for path in found]

    def folders(self, config: str) -> tuple[Path, Path, Path]:
        """Return the three folders of a configuration: markers, logs, results."""
        return self.checkpoints / config, self.logs / config, self.results / config

    def create(self, config: str) -> None:
        """Make the three folders of one configuration."""
        try:
            for folder in self.folders(config):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{self.root}: {error.strerror}: {error.filename}") from error


def aside_of(marker: Path) -> Path:
    """Return where a marker goes that no longer holds."""
    return marker.with_name(marker.name + ASIDE)


def write_atomic(path: Path, data: bytes, *, durable: bool = True, mode: int = PRIVATE) -> None:
    """Replace `path` by `data` so that a crash leaves the old content or the new, never a third.

    With `durable` the file and its folder are synced, so that the new content also survives a power cut;
    without it only the death of processes is survived, which is enough for facts about live processes.
    Raises StorageError, and leaves no temporary file behind.
    """
    write_group([(path, data)], durable=durable, mode=mode)


def write_group(files: Sequence[tuple[Path, bytes]], *, durable: bool = True, mode: int = PRIVATE) -> None:
    """Replace each of several files as `write_atomic` does one, with one sync a folder instead of one a file.

    After a StorageError any of the files may be new already, each whole.
    """
    temporaries = [f"{path}.{os.getpid()}{TEMPORARY}" for path, _ in files]
    place: Path | str = ""
    descriptors: list[int] = []
    try:
        for (place, data), temporary in zip(files, temporaries, strict=True):  # noqa: B007 - named in the error
            descriptors.append(_write(temporary, data, mode))
        if durable:
            for descriptor in descriptors:
                # Starts all the writing first, so that the file system commits them together.
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            for descriptor in descriptors:
                os.fsync(descriptor)
        for (place, _), temporary in zip(files, temporaries, strict=True):
            os.rename(temporary, place)  # noqa: PTH104 - the hot path of every task
        if durable:
            for place in {path.parent for path, _ in files}:
                sync_folder(place)
    except OSError as error:
        for temporary in temporaries:
            with contextlib.suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108
        raise StorageError(f"{place}: {os.strerror(error.errno or errno.EIO)}") from error
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _write(temporary: str, data: bytes, mode: int) -> int:
    """Write a new file; return its descriptor, still open."""
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def remove(path: Path) -> None:
    """Remove `path` if it is there; raises StorageError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error


def sync_folder(folder: Path) -> None:
    """Make the renames in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: Any, *, durable: bool = True) -> None:
    """Write `value` as one JSON document through `write_atomic`; NaN and Infinity are refused."""
    write_atomic(path, encode_json(value), durable=durable)


def encode_json(value: Any) -> bytes:
    """Return `value` as the content of a JSON file; NaN and Infinity are refused."""
    return json.dumps(value, allow_nan=False).encode() + b"\n"


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in `path`, or None where there is no such file.

    Raises ValueError if the file is empty, truncated, not UTF-8 or not an object.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    value = json.loads(data)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value
