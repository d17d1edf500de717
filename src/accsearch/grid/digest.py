"""The digest of a task: what its results depend on besides package versions and the machine."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from accsearch.config.prompts import prompts_fingerprint
from accsearch.config.schema import Config
from accsearch.task import MEASUREMENT_VERSION, Task, Trial

MEASUREMENT_KEYS = (
    "kind",
    "num_samples",
    "batch_size",
    "seed",
    "device",
    "dtype",
    "guidance_scale",
    "height",
    "width",
    "repeats",
    "max_repeats",
    "ci_width",
    "warmup",
    "stability",
    "env",
)
COMMAND_KEYS = ("kind", "command", "success_sentinel", "failure_patterns", "env")
SECRET_KEYS = ("command", "env")
DIGITS = 16


def digest_parts(config: Config, task: Task) -> dict[str, str]:
    """Return what the digest of `task` covers, key by key, so that a message can name the keys in which two differ."""
    if config.worker.kind == "command":
        return shared_parts(config)
    model = config.model(str(task.axes["pipe"])).identity
    return {**shared_parts(config), "model": model, "methods": trials_part(task.trials)}


def shared_parts(config: Config) -> dict[str, str]:
    """Return the parts that all tasks of a configuration share; long values are hashed."""
    own = config.worker.kind == "traversal_search"
    worker = config.worker.model_dump(mode="json", include=set(MEASUREMENT_KEYS if own else COMMAND_KEYS))
    # A command and its environment may hold tokens, and the parts go into markers.
    parts = {
        f"worker.{key}": _hash(json.dumps(value, sort_keys=True)) if key in SECRET_KEYS else _shown(value)
        for key, value in worker.items()
    }
    parts["measurement_version"] = str(MEASUREMENT_VERSION)
    if own:
        parts["prompts"] = prompts_fingerprint(config)
        parts["quality"] = _shown(config.scorer_identity())
        parts["methods.implementation"] = config.implementation
        # A traversal measures every trial, whatever loss or speed-up is asked for.
        of_search = {"strategy"} if config.search.strategy == "traversal" else None
        for key, value in config.search.model_dump(mode="json", include=of_search).items():
            parts[f"search.{key}"] = _shown(value)
    return parts


def trials_part(trials: Iterable[Trial]) -> str:
    """Return the part for the trials of a cell."""
    return _hash(json.dumps([[trial.id, trial.methods] for trial in trials], default=dict))


def _shown(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= 40 else _hash(text)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
