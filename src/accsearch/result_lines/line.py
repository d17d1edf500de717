"""One measured trial, as a line of a task's results file."""

import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal

from accsearch.result_lines.confirmed import Confirmed
from accsearch.result_lines.proof import Proof
from accsearch.result_lines.stats import Interval
from accsearch.task import BASELINE, Methods

Status = Literal["ok", "failed", "pruned"]
Timing = Literal["batches", "pairs"]

_TEXTS = ("task", "trial", "key", "status")
_SEQUENCES = ("times", "scores", "outliers", "throttle_reasons")
_INTERVALS = ("speedup_ci95", "score_loss_ci95")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultLine:
    """A trial's result; a number that is undefined is None. Units: seconds, bytes, watts, percent, dB."""

    task: str
    trial: str
    key: str
    """What must be equal for a later attempt to reuse this line; see `grid.setting`."""
    attempt: int
    methods: Methods
    status: Status
    error: str | None = None

    seconds_per_image: float | None = None
    """Median over the repeats."""
    seconds_per_image_std: float | None = None
    repeats: int = 0
    times: tuple[float, ...] = ()
    """Seconds per image of each repeat."""
    outliers: tuple[int, ...] = ()
    """Indices into `times`; outliers are marked and kept."""
    timing: Timing | None = None
    """How `times` were taken: of each batch as its images were made, or of one batch in turn with the baseline."""
    speedup: float | None = None
    speedup_ci95: Interval | None = None
    images_per_second: float | None = None

    clip_score: float | None = None
    clip_score_std: float | None = None
    scores: tuple[float | None, ...] = ()
    """One per prompt."""
    score_loss: float | None = None
    """(baseline - trial) / baseline, so 0.01 is one percent."""
    score_loss_ci95: Interval | None = None
    confirmed: Confirmed | None = None
    """Of a winner that was measured again on fresh prompts and seeds."""
    prompts_needed: int | None = None
    """How many prompts would settle the strictest asked limit; null where no number would."""
    psnr: float | None = None
    """Decibel; null where the images are identical."""
    ssim: float | None = None
    ms_ssim: float | None = None
    lpips: float | None = None
    fid: float | None = None
    efficiency: float | None = None
    """speedup / (1 + score_loss)."""
    active: bool | None = None
    """False where an approximate method changed nothing; None for the baseline and for exact methods."""
    calls_left: float | None = None
    """Share of the baseline's calls of the denoiser's blocks that ran; None where they were not counted."""
    search: Proof | None = None
    """Of the baseline: what the upper-bound search proved; None after a traversal."""

    peak_memory_bytes: int | None = None
    set_up_seconds: float | None = None
    set_up_memory_bytes: int | None = None
    gpu_busy: float | None = None
    """Share of the wall time with a kernel running, 0 to 1."""
    host_bound: bool | None = None
    power_watts: float | None = None
    gpu_utilization: float | None = None
    """Percent, by NVML."""
    sm_clock_mhz: float | None = None
    """Mean of the streaming multiprocessors' clock, by NVML."""
    throttle_reasons: tuple[str, ...] = ()
    """Why that clock was held down at some time, by NVML."""
    cores_used_by_others: float | None = None
    """How many of the usable cores other processes kept busy, on average; None where it is unknown."""
    baseline_drift: float | None = None
    """The baseline's time when this trial was timed over that at the attempt's start; of the baseline's own line the
    longest such time over the shortest."""

    num_samples: int = 0
    batch_size: int = 0
    seed: int = 0
    gpu: str | None = None
    """UUID."""
    gpu_name: str | None = None
    dtype: str | None = None
    baseline_attempt: int | None = None
    """The attempt whose baseline `speedup` and `score_loss` compare with."""
    condition: str | None = None
    """Set for a stability measurement, whose `trial` is then `TRIAL@CONDITION`; never an upper bound."""
    note: str | None = None
    images_sha256: str | None = None
    """Of every pixel, by which a replay knows whether images are identical."""
    startup_seconds: float | None = None
    """From the launch of this attempt's worker until it began to generate its first image."""
    timed_seconds: float | None = None
    """How long this attempt had generated images under a stopwatch by the time of this line, all trials together."""
    versions: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    """What else is needed to run the trial again: driver, git state, host, seeds of the methods."""

    @property
    def is_rough(self) -> bool:
        """Say whether a trial was timed by its batches alone: not in turn with the baseline, and not confirmed."""
        return self.timing == "batches" and self.confirmed is None and self.trial != BASELINE

    def to_json(self) -> dict[str, Any]:
        """Return the line as a JSON object in which a NaN or an infinity has become null."""
        return {f.name: _finite(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "ResultLine":
        """Read a line; unknown fields of a newer version are dropped. Raises ValueError if it is not one."""
        known = {name: value[name] for name in _NAMES if name in value}
        missing = [name for name in _REQUIRED if name not in known]
        if missing:
            raise ValueError(f"no {missing[0]!r} in a result line")
        for name in _TEXTS:
            if not isinstance(known[name], str):
                raise ValueError(f"{name!r} of a result line is not text")
        if known["status"] not in ("ok", "failed", "pruned"):
            raise ValueError(f"unknown status {known['status']!r}")
        if not isinstance(known["methods"], dict) or not isinstance(known["attempt"], int):
            raise ValueError("'methods' or 'attempt' of a result line has the wrong type")
        for name in _SEQUENCES:
            known[name] = tuple(known.get(name) or ())
        for name in _INTERVALS:
            known[name] = _interval(known.get(name))
        if (confirmed := known.get("confirmed")) is not None:
            known["confirmed"] = Confirmed.from_json(confirmed)
        if (search := known.get("search")) is not None:
            try:
                known["search"] = Proof.from_json(search)
            except KeyError as error:
                raise ValueError(f"no {error} in 'search' of a result line") from error
        return cls(**known)


_NAMES = tuple(f.name for f in fields(ResultLine))
_REQUIRED = tuple(f.name for f in fields(ResultLine) if f.default is MISSING and f.default_factory is MISSING)


def _interval(value: Any) -> Interval | None:
    if value is None:
        return None
    low, high = value
    return (float(low), float(high))


def _finite(value: Any) -> Any:
    if isinstance(value, Confirmed | Proof):
        return _finite(value.to_json())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, tuple | list):
        return [_finite(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    return value
