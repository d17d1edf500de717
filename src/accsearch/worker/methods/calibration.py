"""Figures that methods take from plain generations, found once for a model, steps and size, and kept with a hash."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from accsearch.workdir import write_atomic
from accsearch.worker.methods.changes import Changes, Skips, share_skipped, threshold_for

SCHEMA = 1
Figures = list[list[float]]
"""One list for each half of guidance that has calls of its own."""


def digest(figures: Any) -> str:
    """Return 16 hexadecimal digits of the SHA-256 of figures."""
    return hashlib.sha256(json.dumps(figures, sort_keys=True).encode()).hexdigest()[:16]


class Calibrations:
    """The figures of one task, in memory, and in `file` where there is one; `identity` says of which model they are."""

    def __init__(self, file: Path | None = None, identity: str = "") -> None:
        self._file = file
        self._identity = identity
        self._changes: dict[str, list[Changes]] = {}
        self._figures: dict[str, Figures] = _read(file)

    def of(
        self, pipeline: Any, denoiser: Any, arguments: Mapping[str, Any], record: Callable[[], list[Changes]]
    ) -> "Plain":
        """Return the figures of generations like that of `arguments`; `record` makes one where it is needed."""
        latents = arguments.get("latents")
        facts = {
            "model": self._identity or str(denoiser.config),
            "scheduler": str(pipeline.scheduler.config),
            "steps": arguments["num_inference_steps"],
            "size": None if latents is None else list(latents.shape[1:]),
            "pixels": [arguments.get("height"), arguments.get("width")],
            "guidance": [arguments.get("guidance_scale"), arguments.get("true_cfg_scale")],
            "dtype": str(denoiser.dtype),
        }
        return Plain(self, digest(facts), record)

    def changes(self, key: str, record: Callable[[], list[Changes]]) -> list[Changes]:
        """Return what changed in the plain generation of `key`, which is made once."""
        if key not in self._changes:
            self._changes[key] = record()
        return self._changes[key]

    def figures(self, key: str, find: Callable[[], Figures]) -> Figures:
        """Return the figures kept as `key`, found and written where there are none."""
        if key not in self._figures:
            self._figures[key] = find()
            if self._file is not None:
                hashes = {name: digest(each) for name, each in self._figures.items()}
                kept = {"schema": SCHEMA, "figures": self._figures, "sha256": hashes}
                write_atomic(self._file, (json.dumps(kept, indent=1) + "\n").encode())
        return self._figures[key]


@dataclass
class Plain:
    """What methods ask of the plain generations of one setting; `used` names the figures that they got."""

    calibrations: Calibrations
    key: str
    record: Callable[[], list[Changes]]
    used: dict[str, Any] = field(default_factory=dict)

    def changes(self) -> list[Changes]:
        """Return what changes from call to call."""
        return self.calibrations.changes(self.key, self.record)

    def ratios(self) -> Figures:
        """Return the ratios of the magnitude of the blocks' residual, from call to call."""
        found = self.calibrations.figures(
            f"{self.key}:ratios", lambda: [each.ratios for each in self.changes()]
        )
        self.used["mag_cache.ratios"] = digest(found)
        return found

    def threshold(self, name: str, share: float, skips: Skips, setting: Sequence[Any] = ()) -> float:
        """Return the threshold at which the method `name`, otherwise set so, skips that share of the calls."""
        parts = [self.key, name, f"{share:g}", *map(str, setting)]
        found = self.calibrations.figures(
            ":".join(parts), lambda: [[threshold_for(share, skips, self.changes())]]
        )
        self.used[f"{name}.threshold"] = found[0][0]
        return found[0][0]

    def skipped(self, skips: Skips, threshold: float) -> float:
        """Return the share of the calls that a method would skip with this threshold."""
        return share_skipped(skips, self.changes(), threshold)


def _read(file: Path | None) -> dict[str, Figures]:
    """Return the figures in a file whose hashes hold; a damaged one is found anew."""
    if file is None or not file.is_file():
        return {}
    try:
        kept = json.loads(file.read_bytes())
        hashes = kept["sha256"]
        return {name: each for name, each in kept["figures"].items() if digest(each) == hashes.get(name)}
    except (ValueError, KeyError, AttributeError, TypeError):
        return {}
