"""The markers of a task: read strictly, written atomically."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, get_args

from accsearch.task import FailureReason
from accsearch.workdir import write_json

SCHEMA = 1
"""Raised when a marker's meaning changes; a marker of a higher schema is not read."""

LOCAL = "local"
"""The executor whose attempts run on the scheduler's own machine."""
SUBMITTED = 0
"""The `pid` of an attempt that waits in a cluster's queue and has no process yet; its host is empty then."""


class DamagedMarker(ValueError):
    """A marker that cannot be believed; the message says why in a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """`T.running`: who works on a task; the identities are those of `process_identity`."""

    task: str
    pid: int
    create_time: float | None
    keeper_pid: int
    keeper_create_time: float | None
    host: str
    attempt: int
    nonce: str
    started_at: str
    executor: str = LOCAL
    job_id: str | None = None
    gpu: str | None = None
    digest: str | None = None
    """The digest that the attempt was started for; the configuration may change while it runs."""
    batch_size: int | None = None
    identity: str | None = None
    keeper_identity: str | None = None
    namespace: str | None = None
    """The PID namespace in which the pids are valid."""
    beat: str | None = None
    """The number of the keeper's last sign of life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """`T.exit`: how a worker ended, by its keeper; `seconds` is monotonic."""

    attempt: int
    nonce: str
    finished_at: str
    exit_code: int | None = None
    signal: int | None = None
    seconds: float | None = None
    reason: str | None = None
    """Why the keeper ended the worker: a failure reason, or `stopped` on the scheduler's word."""
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """The results file as it was when the task was judged done."""

    path: str
    lines: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """`T.done`: a task judged complete. Paths are relative to the work directory."""

    schema: int = SCHEMA
    task: str
    config: str
    digest: str
    attempt: int
    nonce: str
    started_at: str
    finished_at: str
    seconds: float
    host: str
    gpu: str | None
    log: str
    results: Results | None
    versions: Mapping[str, str]
    batch_size: int | None = None
    parts: Mapping[str, str] | None = None
    """What the digest covers, key by key, to tell later what changed."""
    measured_share: float | None = None
    """Share of `seconds` in which images were generated under a stopwatch; None for a command worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """`T.failed`: the last failure of a task. `counted` is how many attempts have used up a retry."""

    schema: int = SCHEMA
    task: str
    config: str
    digest: str
    attempt: int
    reason: FailureReason
    message: str
    gpu: str | None
    log: str
    finished_at: str
    exit_code: int | None = None
    signal: int | None = None
    counted: int = 0
    batch_size: int | None = None
    seconds: float | None = None
    nonce: str | None = None
    host: str | None = None
    parts: Mapping[str, str] | None = None


Marker = TypeVar("Marker", Running, Exit, Done, Failed)


def read_running(path: Path) -> Running | None:
    """Return the marker, or None where there is none; raises DamagedMarker."""
    return _read(path, Running)


def read_exit(path: Path) -> Exit | None:
    """Return the marker, or None where there is none; raises DamagedMarker."""
    return _read(path, Exit)


def read_done(path: Path) -> Done | None:
    """Return the marker, or None where there is none; raises DamagedMarker."""
    return _read(path, Done)


def read_failed(path: Path) -> Failed | None:
    """Return the marker, or None where there is none; raises DamagedMarker."""
    return _read(path, Failed)


def write_running(path: Path, marker: Running) -> None:
    """Write the marker; it speaks of live processes, so it need not survive a power cut."""
    write_json(path, asdict(marker), durable=False)


def write_exit(path: Path, marker: Exit) -> None:
    """Write the marker; after a power cut the task runs again, so it need not survive one."""
    write_json(path, asdict(marker), durable=False)


def write_done(path: Path, marker: Done) -> None:
    """Write the marker so that it survives a power cut."""
    write_json(path, asdict(marker))


def write_failed(path: Path, marker: Failed) -> None:
    """Write the marker so that it survives a power cut."""
    write_json(path, asdict(marker))


def decode(data: bytes, kind: type[Marker]) -> Marker:
    """Return the marker that `data` holds; unknown fields are dropped. Raises DamagedMarker."""
    if not data:
        raise DamagedMarker("empty")
    if not data.strip(b"\0"):
        raise DamagedMarker("filled with NUL")
    try:
        value = json.loads(data)
    except ValueError as error:
        raise DamagedMarker("truncated or not JSON") from error
    if not isinstance(value, dict):
        raise DamagedMarker("not a JSON object")
    schema = value.get("schema", SCHEMA)
    if not isinstance(schema, int) or schema > SCHEMA:
        raise DamagedMarker(f"written by a newer version (schema {schema!r})")
    decoded: Marker = _decode(kind, value)
    return decoded


def _read(path: Path, kind: type[Marker]) -> Marker | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    return decode(data, kind)


def _decode(kind: Any, value: Mapping[str, Any]) -> Any:
    given = {}
    for each in fields(kind):
        if each.name in value:
            given[each.name] = _convert(each.type, value[each.name], each.name)
        elif each.default is MISSING:
            raise DamagedMarker(f"no {each.name!r}")
    return kind(**given)


def _convert(kind: Any, value: Any, name: str) -> Any:
    """Return `value` as `kind`, which is a plain type, a class of this module, or one of them or None."""
    options = get_args(kind) if type(None) in get_args(kind) else (kind,)
    if value is None and len(options) > 1:
        return None
    wanted = options[0]
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if wanted is Results and isinstance(value, dict):
        return _decode(Results, value)
    if wanted is FailureReason and value in list(FailureReason):
        return FailureReason(value)
    if wanted == Mapping[str, str] and isinstance(value, dict):
        return {str(key): str(item) for key, item in value.items()}
    if wanted in (str, int, float) and type(value) is wanted:
        return value
    raise DamagedMarker(f"{name!r} is {value!r}")
