"""Take a finished task for done under a changed configuration, where a worker would find nothing to measure."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from accsearch.checkpoint.markers import Done, decode
from accsearch.config.schema import Config
from accsearch.grid import digest_parts
from accsearch.grid.reuse import is_whole
from accsearch.result_lines.file import read
from accsearch.task import Task
from accsearch.workdir import WorkDir, encode_json


def needs_nothing(workdir: WorkDir, config: Config, task: Task) -> bool:
    """Say whether every trial of `task` is measured as `config` would have it: when one was taken off the list, say."""
    if config.worker.kind != "traversal_search":
        return False
    return is_whole(config, task, read(workdir.task(task.config, task.id).results))


def renewal(workdir: WorkDir, config: Config, task: Task, value: Mapping[str, Any]) -> tuple[Path, Done]:
    """Return where the marker of `task` is and, given its content, what it is with the digest that the task has now."""
    marker = replace(decode(encode_json(value), Done), digest=task.digest, parts=digest_parts(config, task))
    return workdir.task(task.config, task.id).done, marker
