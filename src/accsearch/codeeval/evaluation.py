"""The evaluation of one generated file: what was found, as JSON and as the three printed sections."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from accsearch.codeeval.text import printable

Verdict = Literal["ok", "failed", "unsafe", "timeout", "invalid"]
VERDICTS = ("ok", "failed", "unsafe", "timeout", "invalid")
UNKNOWN: Mapping[str, Any] = dict.fromkeys(
    ("pipeline", "model_id", "scheduler", "num_inference_steps", "acceleration_methods")
)


@dataclass(frozen=True)
class Evaluation:
    """Times in seconds an image, scores as means over the images; what was not measured is None.

    `notes` lists what the file tried in vain (network, files, signals), `remarks` what was taken off around its
    code; `seeds` are those of the images.
    `speedup` is the ratio of the times, `speedup_ci95` the 95 % interval by the images that both sides made of the
    same prompt and seed.
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
    speedup_ci95: tuple[float, float] | None = None
    relative_quality_loss: float | None = None
    upper_bound: Mapping[str, float] | None = None
    error: str | None = None
    entry: str | None = None
    active: bool | None = None
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    baseline_times: tuple[float, ...] = ()
    accelerated_times: tuple[float, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the JSON of `accsearch evaluate --json` for one file; a number that is not finite is null."""
        found: dict[str, Any] = _finite(asdict(self))
        return found

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Evaluation":
        """Read what `to_json` wrote; raises TypeError for anything else."""
        lists = ("notes", "remarks", "seeds", "baseline_times", "accelerated_times", "speedup_ci95")
        content: dict[str, Any] = dict(value)
        content |= {name: tuple(each) for name, each in value.items() if name in lists and each is not None}
        return cls(**content)


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
