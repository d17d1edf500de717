"""What the results of a task depend on: one `Setting`, which the digest, the reuse key and a result line each show."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from accsearch.config.prompts import prompts_fingerprint
from accsearch.config.schema import Config
from accsearch.methods.combinations import distinct
from accsearch.task import Methods, Scalar, Task

DIGITS = 16


def short_hash(text: str) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of `text`."""
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def as_part(value: Any) -> str:
    """Return `value` as a part of a digest: JSON, hashed where it is longer than 40 characters."""
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= 40 else short_hash(text)


def hashed(value: Any) -> str:
    """Return a hash of `value`, which may hold a token: parts of a digest are written into markers."""
    return short_hash(json.dumps(value, sort_keys=True))


def _in(
    *,
    digest: str | None = None,
    write: Callable[[Any], str] = as_part,
    key: bool = False,
    line: str | None = None,
    environment: str | None = None,
) -> dict[str, Any]:
    """Say where a field of `Setting` is shown.

    `digest` is its name among the parts of the digest, to which `write` turns it; `key` says whether the reuse key
    covers it; `line` and `environment` are its name as a field of a result line, or in the line's `environment`.
    """
    return {"digest": digest, "write": write, "key": key, "line": line, "environment": environment}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Everything that the results of a task depend on besides its trials, the host and the package versions.

    The digest covers what is configured; the reuse key covers what was measured, which may differ: the data type on
    a CPU, the batch size after out of memory. A result line says enough to tell its setting from another.
    """

    kind: str = field(metadata=_in(digest="worker.kind"))
    num_samples: int = field(metadata=_in(digest="worker.num_samples", key=True, line="num_samples"))
    configured_batch_size: int = field(
        metadata=_in(digest="worker.batch_size", environment="configured_batch_size")
    )
    batch_size: int = field(metadata=_in(key=True, line="batch_size"))
    seed: int = field(metadata=_in(digest="worker.seed", key=True, line="seed"))
    device: str = field(metadata=_in(digest="worker.device"))
    configured_dtype: str = field(metadata=_in(digest="worker.dtype"))
    dtype: str = field(metadata=_in(key=True, line="dtype"))
    gpu_model: str | None = field(metadata=_in(key=True, line="gpu_name"))
    """None on the CPU."""
    configured_guidance_scale: float | None = field(metadata=_in(digest="worker.guidance_scale"))
    guidance_scale: float = field(metadata=_in(key=True, environment="guidance_scale"))
    """The configured one, else the model's own."""
    height: int | None = field(metadata=_in(digest="worker.height", key=True))
    width: int | None = field(metadata=_in(digest="worker.width", key=True))
    repeats: int = field(metadata=_in(digest="worker.repeats", key=True))
    max_repeats: int = field(metadata=_in(digest="worker.max_repeats", key=True))
    ci_width: float = field(metadata=_in(digest="worker.ci_width", key=True))
    warmup: int = field(metadata=_in(digest="worker.warmup", key=True))
    stability: bool = field(metadata=_in(digest="worker.stability"))
    env: Mapping[str, str] = field(metadata=_in(digest="worker.env", write=hashed, key=True))
    """What the configuration adds to the worker's environment."""
    measurement_version: int = field(metadata=_in(digest="measurement_version", key=True))
    implementation: str = field(
        metadata=_in(digest="methods.implementation", write=str, key=True, environment="implementation")
    )
    # Of the task, whose own part of the digest names the model.
    model: str = field(metadata=_in(key=True, environment="model"))
    revision: str | None = field(metadata=_in(key=True))
    scheduler: str = field(metadata=_in(key=True))
    """Class of diffusers without its ending `Scheduler`."""
    steps: int = field(metadata=_in(key=True))
    prompts: str = field(metadata=_in(digest="prompts", write=str, key=True, environment="prompts"))
    """Fingerprint of the prompts' content."""
    scorer: tuple[str, str | None, str] = field(
        metadata=_in(digest="quality", key=True, environment="scorer")
    )
    """Model, weights and content of the quality score."""
    search: Mapping[str, Any] = field(metadata=_in())
    """What the search's choice of trials depends on; each key is a part of the digest."""

    def digest_parts(self) -> dict[str, str]:
        """Return what the digests of all tasks of the configuration cover, by key."""
        parts = {
            info["digest"]: info["write"](getattr(self, name)) for name, info in _FIELDS if info["digest"]
        }
        return parts | {f"search.{key}": as_part(value) for key, value in self.search.items()}

    def line_fields(self) -> dict[str, Any]:
        """Return the fields of a result line that say how it was measured."""
        return {info["line"]: getattr(self, name) for name, info in _FIELDS if info["line"]}

    def environment(self) -> dict[str, Any]:
        """Return what the `environment` of a result line says of how it was measured."""
        return {
            info["environment"]: _plain(getattr(self, name)) for name, info in _FIELDS if info["environment"]
        }


_FIELDS = [(each.name, each.metadata) for each in fields(Setting)]
LINE_FIELDS = tuple(info["line"] for _, info in _FIELDS if info["line"])
"""Fields of a result line that say how it was measured."""
CONFIGURED_BATCH = "configured_batch_size"
"""In a line's `environment`: the batch size of the configuration, also where the line's was halved by an OOM."""
ENVIRONMENT = tuple(info["environment"] for _, info in _FIELDS if info["environment"])
"""What a result line's `environment` says of how it was measured; earlier versions wrote less."""


def reuse_key(setting: Setting, methods: Methods, condition: str | None = None) -> str:
    """Return 16 hexadecimal digits that change with anything that a trial's result depends on."""
    facts: dict[str, Any] = {
        "setting": {name: _plain(getattr(setting, name)) for name, info in _FIELDS if info["key"]},
        "methods": {name: dict(parameters) for name, parameters in distinct(methods).items()},
    }
    if condition is not None:
        facts["condition"] = {"name": condition}
    return short_hash(json.dumps(facts, sort_keys=True))


PROVED_SINCE = 3
"""Measurement version since which an upper-bound search proves and confirms its answers."""


def cell_setting(config: Config, axes: Mapping[str, Scalar]) -> Setting:
    """Return the setting that a traversal search's cell is configured to be measured in."""
    model, worker = config.model(str(axes["pipe"])), config.worker
    # A traversal measures every trial, whatever loss or speed-up is asked for.
    of_search = {"strategy"}
    if config.search.strategy == "upper_bound":
        of_search |= {"max_score_loss", "target_speedup"}
        if config.facts.measurement_version >= PROVED_SINCE:
            of_search |= {"confidence", "budget", "confirm"}
        if config.search.max_lpips is not None:
            of_search |= {"max_lpips"}
    as_written = {name: getattr(worker, name) for name, info in _FIELDS if info["digest"] == f"worker.{name}"}
    return Setting(
        **as_written,
        configured_batch_size=worker.batch_size,
        batch_size=worker.batch_size,
        configured_dtype=worker.dtype,
        dtype=worker.dtype,
        gpu_model=None,
        configured_guidance_scale=worker.guidance_scale,
        guidance_scale=model.guidance if worker.guidance_scale is None else worker.guidance_scale,
        measurement_version=config.facts.measurement_version,
        implementation=config.implementation,
        model=model.identity,
        revision=model.revision,
        scheduler=str(axes["sched"]).removesuffix("Scheduler"),
        steps=int(axes["steps"]),
        prompts=prompts_fingerprint(config),
        scorer=config.scorer_identity(),
        search=config.search.model_dump(mode="json", include=of_search),
    )


def setting_of(config: Config, task: Task, **measured: Any) -> Setting:
    """Return the setting of a task; `measured` are fields that only a worker knows, as `gpu_model`."""
    return replace(cell_setting(config, task.axes), **measured)


def dtype_on_cpu(dtype: str) -> str:
    """Return the data type that the CPU takes in place of `dtype`: it has no fast float16."""
    return "float32" if dtype == "float16" else dtype


def _plain(value: Any) -> Any:
    return ":".join(map(str, value)) if isinstance(value, tuple) else value
