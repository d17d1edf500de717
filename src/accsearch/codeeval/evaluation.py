"""The evaluation of one generated file: what was found, as JSON and as the three printed sections."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from accsearch.sandbox.printable import printable

Verdict = Literal["ok", "unresolved", "failed", "unsafe", "timeout", "invalid"]
Interval = tuple[float, float]
WORTH = 1.25
"""A speed-up that an interval around 1 must rule out, as its inverse, to say that a file is as fast as its baseline."""

WIDEST = 4.0
"""Upper over lower end beyond which an interval gives no figure: a factor of two each way."""

HALF_LOST = 0.5
"""A loss that an interval from 0 must rule out to say anything of the quality."""

UNKNOWN: Mapping[str, Any] = dict.fromkeys(
    ("pipeline", "model_id", "scheduler", "num_inference_steps", "acceleration_methods")
)


@dataclass(frozen=True)
class Evaluation:
    """Times in seconds an image, scores as means over the images; what was not measured is None.

    `notes` lists what the file tried and was refused (network, files, signals), `remarks` what was removed around its
    code and what disturbed the measurement; `seeds` are those of the images.
    `speedup` is the ratio of the times, `speedup_ci95` the 95 % interval by the images that both sides made of the
    same prompt and seed, as is `relative_quality_loss_ci95`.
    `threads` are those of each side, `cores_used_by_others` what other processes took meanwhile (None on a GPU).
    `active` is false if methods that change images were written and every image equals the baseline's;
    `baseline` is what that was made of, with `notes` of its own.
    """

    file: str
    verdict: Verdict
    isolation: str
    configuration: Mapping[str, Any] = field(default_factory=lambda: UNKNOWN)
    baseline: Mapping[str, Any] | None = None
    baseline_time: float | None = None
    accelerated_time: float | None = None
    baseline_score: float | None = None
    accelerated_score: float | None = None
    speedup: float | None = None
    speedup_ci95: Interval | None = None
    relative_quality_loss: float | None = None
    relative_quality_loss_ci95: Interval | None = None
    upper_bound: Mapping[str, float] | None = None
    error: str | None = None
    entry: str | None = None
    active: bool | None = None
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    baseline_times: tuple[float, ...] = ()
    accelerated_times: tuple[float, ...] = ()
    threads: int | None = None
    cores_used_by_others: float | None = None

    @property
    def gains(self) -> bool:
        """Whether the file is faster than its baseline beyond doubt, by methods that do something."""
        return self.active is not False and self.speedup_ci95 is not None and self.speedup_ci95[0] > 1

    def to_json(self) -> dict[str, Any]:
        """Return the JSON of `accsearch evaluate --json` for one file; a number that is not finite is null."""
        found: dict[str, Any] = _finite(asdict(self))
        return found

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Evaluation":
        """Read what `to_json` wrote; raises TypeError for anything else."""
        times = ("baseline_times", "accelerated_times", "speedup_ci95")
        lists = ("notes", "remarks", "seeds", "relative_quality_loss_ci95", *times)
        content: dict[str, Any] = dict(value)
        content |= {name: tuple(each) for name, each in value.items() if name in lists and each is not None}
        return cls(**content)


def unresolved(speedup: Interval | None, loss: Interval | None) -> str | None:
    """Say why the 95 % intervals of speed-up and loss are too wide to say anything, None where they are not."""
    if speedup is None:
        return "one pair of images gives no interval"
    low, high = speedup
    shown = f"the speed-up is in [{low:.2f}, {high:.2f}]"
    if low <= 1 <= high and (low < 1 / WORTH or high > WORTH):
        return f"{shown}: whether it is faster or slower is open"
    if high > WIDEST * low:
        return f"{shown}: how much it is, is open"
    if loss is not None and loss[0] <= 0 and loss[1] > HALF_LOST:
        return f"the loss is in [{loss[0]:.0%}, {loss[1]:.0%}]: whether anything is lost is open"
    return None


def render(evaluation: Evaluation) -> str:
    """Return the three sections that `accsearch evaluate` prints."""
    configuration = evaluation.configuration
    lines = ["=== Model Configuration ==="]
    for name in ("pipeline", "model_id", "scheduler", "num_inference_steps"):
        lines.append(f"{name}: {_or_unknown(configuration[name])}")
    if evaluation.baseline is not None:
        lines.append(f"baseline: {_baseline(evaluation.baseline)}")
    lines += ["", "=== Acceleration Methods Used ==="]
    methods = configuration["acceleration_methods"]
    lines += ["unknown"] if methods is None else [printable(each) for each in methods] or ["none"]
    lines += ["", "=== Performance Evaluation Results ===", f"verdict: {evaluation.verdict}"]
    if evaluation.error is not None:
        lines.append(f"error: {printable(evaluation.error)}")
    lines += [f"tried: {printable(note)}" for note in evaluation.notes]
    lines += [f"remark: {printable(remark)}" for remark in evaluation.remarks]
    lines += _measured(evaluation)
    lines.append(f"isolation: {evaluation.isolation}")
    return "\n".join(lines)


def _measured(evaluation: Evaluation) -> list[str]:
    shown = (
        ("baseline_time", evaluation.baseline_time, "{:.4f}s"),
        ("accelerated_time", evaluation.accelerated_time, "{:.4f}s"),
        ("baseline_score", evaluation.baseline_score, "{:.4f}"),
        ("accelerated_score", evaluation.accelerated_score, "{:.4f}"),
        ("speedup", evaluation.speedup, "{:.2f}x"),
        ("speedup_ci95", evaluation.speedup_ci95, "[{0[0]:.2f}, {0[1]:.2f}]"),
        ("relative_quality_loss", evaluation.relative_quality_loss, "{:.2%}"),
        ("relative_quality_loss_ci95", evaluation.relative_quality_loss_ci95, "[{0[0]:.2%}, {0[1]:.2%}]"),
    )
    lines = [f"{name}: {form.format(value)}" for name, value, form in shown if value is not None]
    bound = evaluation.upper_bound
    if bound is not None:
        lines += [f"upper_bound: {bound['speedup']:.2f}x", f"achievement: {bound['achievement']:.1%}"]
    return lines


def _or_unknown(value: Any) -> str:
    return "unknown" if value is None else printable(value)


def _baseline(used: Mapping[str, Any]) -> str:
    parts = [f"{name} {value}" for name, value in used.items() if name != "notes"]
    return printable("; ".join([", ".join(parts), *used["notes"]]))


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
