"""Measure one stored trial again, and say whether images are identical and times agree."""

from dataclasses import dataclass

from accsearch.errors import UsageError
from accsearch.results.file import latest, read
from accsearch.results.line import ResultLine
from accsearch.task import BASELINE, Trial
from accsearch.worker.assignment import Assignment
from accsearch.worker.bench import Bench
from accsearch.worker.measurement import Baseline, measure_baseline, measure_trial
from accsearch.worker.record import Recorder


@dataclass(frozen=True)
class Comparison:
    """A stored line against a new measurement; `images` is None where the stored line holds no hash."""

    images: bool | None
    speedups_agree: bool | None
    text: str

    @property
    def agrees(self) -> bool:
        return self.images is not False and self.speedups_agree is not False


def stored_line(assignment: Assignment, trial: str) -> ResultLine:
    """Return the line to replay; raises UsageError where the trial has no result."""
    line = latest(read(assignment.paths.results)).get(trial)
    if line is None or line.status != "ok":
        raise UsageError(f"{assignment.task.name}: {trial} has no result to compare with")
    return line


def replay(bench: Bench, recorder: Recorder, stored: ResultLine) -> Comparison:
    """Measure the trial of `stored` again with the same seeds, prompts and batch size."""
    assignment = bench.assignment
    plain = measure_baseline(bench, assignment.batch_size)
    if stored.trial == BASELINE:
        return compare(stored, recorder.baseline(plain, list(plain.seconds)))
    measured = measure_trial(bench, stored.methods, assignment.batch_size)
    baseline = Baseline(plain.images, plain.scores)
    return compare(stored, recorder.trial(Trial(stored.trial, stored.methods), measured, baseline))


def compare(stored: ResultLine, again: ResultLine) -> Comparison:
    """Compare images by their hash, and speed-ups by whether their intervals meet."""
    images = None if stored.images_sha256 is None else stored.images_sha256 == again.images_sha256
    agree = None
    if stored.speedup_ci95 and again.speedup_ci95:
        agree = (
            stored.speedup_ci95[0] <= again.speedup_ci95[1]
            and again.speedup_ci95[0] <= stored.speedup_ci95[1]
        )
    words = {True: "identical", False: "different", None: "not comparable (no hash was stored)"}
    times = {True: "the intervals meet", False: "the intervals do not meet", None: "no interval"}
    changed = [
        f"{name} {stored.versions.get(name, 'absent')} -> {version}"
        for name, version in again.versions.items()
        if stored.versions.get(name) != version
    ]
    if stored.gpu_name != again.gpu_name:
        changed.insert(0, f"device {stored.gpu_name or 'cpu'} -> {again.gpu_name or 'cpu'}")
    lines = [
        f"images: {words[images]}",
        f"seconds per image: {stored.seconds_per_image:.4f} then, {again.seconds_per_image:.4f} now",
        f"speed-up: {_speedup(stored)} then, {_speedup(again)} now: {times[agree]}",
        *([f"changed since: {', '.join(changed)}"] if changed else []),
    ]
    return Comparison(images, agree, "\n".join(lines))


def _speedup(line: ResultLine) -> str:
    interval = f" [{line.speedup_ci95[0]:.3f}, {line.speedup_ci95[1]:.3f}]" if line.speedup_ci95 else ""
    return f"{line.speedup:.3f}x{interval}"
