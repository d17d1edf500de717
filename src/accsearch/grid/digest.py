"""The digest of a task: what its results depend on besides package versions and the machine."""

import json
from collections.abc import Iterable

from accsearch.config.schema import Config
from accsearch.grid.setting import as_part, cell_setting, hashed, short_hash
from accsearch.methods.combinations import distinct
from accsearch.task import COMMAND_VERSION, Task, Trial

COMMAND_KEYS = ("kind", "command", "success_sentinel", "failure_patterns", "env")
SECRET_KEYS = ("command", "env")
"""Keys whose values may hold tokens."""


def digest_parts(config: Config, task: Task) -> dict[str, str]:
    """Return what the digest of `task` covers, key by key, so that a change can be named in words."""
    if config.worker.kind == "command":
        return shared_parts(config)
    model = config.model(str(task.axes["pipe"])).identity
    return {**shared_parts(config), "model": model, "methods": trials_part(task.trials)}


def shared_parts(config: Config) -> dict[str, str]:
    """Return the parts that all tasks of a configuration share; long values are hashed."""
    if config.worker.kind == "command":
        values = config.worker.model_dump(mode="json", include=set(COMMAND_KEYS))
        parts = {
            f"worker.{key}": (hashed if key in SECRET_KEYS else as_part)(value)
            for key, value in values.items()
        }
        return {**parts, "measurement_version": as_part(COMMAND_VERSION)}
    return cell_setting(config, {axis: values[0] for axis, values in config.grid.items()}).digest_parts()


def trials_part(trials: Iterable[Trial]) -> str:
    """Return the part for the trials of a cell."""
    return short_hash(json.dumps([[trial.id, distinct(trial.methods)] for trial in trials], default=dict))
