"""Measure one stored trial again, and say whether images are identical and times agree."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from accsearch.grid.setting import LINE_FIELDS
from accsearch.result_lines.line import ResultLine
from accsearch.result_lines.stats import Interval, speedup_interval
from accsearch.result_lines.versions import changes
from accsearch.task import BASELINE, Trial
from accsearch.worker.baseline import Baseline
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.measurement import measure_baseline, measure_pairs, measure_trial
from accsearch.worker.record import Recorder

_RESULTS = {"baseline_seconds", "absent"}
_IMAGES = {True: "identical", False: "different", None: "not comparable (no hash was stored)"}


@dataclass(frozen=True)
class Comparison:
    """A stored line against a new measurement; None where the lines do not hold what it takes to compare."""

    images: bool | None
    times: bool | None
    text: str

    @property
    def agrees(self) -> bool:
        return self.images is not False and self.times is not False


def replay(loaded: LoadedTask, recorder: Recorder, stored: ResultLine) -> Comparison:
    """Measure the trial of `stored` again with the same seeds, prompts and batch size, timed in the same way."""
    batch_size = loaded.assignment.batch_size
    plain = measure_baseline(loaded, batch_size)
    baseline = Baseline.of(plain)
    if stored.trial == BASELINE:
        return compare(stored, recorder.baseline(plain, baseline.times))
    measured = measure_trial(loaded, stored.methods, batch_size)
    again = recorder.trial(Trial(stored.trial, stored.methods), measured, baseline)
    if stored.timing == "pairs":
        usual = median(measured.seconds)
        paired = measure_pairs(loaded, stored.methods, batch_size, usual, lambda: False)
        again = recorder.paired(again, paired, baseline)
    return compare(stored, again)


def compare(stored: ResultLine, again: ResultLine) -> Comparison:
    """Compare images by their hash, and times by intervals: a trial's speed-ups, the baseline's own times."""
    images = None if stored.images_sha256 is None else stored.images_sha256 == again.images_sha256
    agree, said = (_baselines if stored.trial == BASELINE else _speedups)(stored, again)
    lines = [
        f"images: {_IMAGES[images]}",
        f"seconds per image: {stored.seconds_per_image:.4f} then, {again.seconds_per_image:.4f} now",
        said,
    ]
    if stored.key != again.key:
        lines.append("settings: not those of the stored line, whose key differs")
    if changed := ", ".join(_changed(stored, again)):
        lines.append(f"changed since: {changed}")
    return Comparison(images, agree, "\n".join(lines))


def _speedups(stored: ResultLine, again: ResultLine) -> tuple[bool | None, str]:
    agree = None
    if stored.speedup_ci95 and again.speedup_ci95:
        agree = (
            stored.speedup_ci95[0] <= again.speedup_ci95[1]
            and again.speedup_ci95[0] <= stored.speedup_ci95[1]
        )
    words = {True: "the intervals meet", False: "the intervals do not meet", None: "no interval"}
    then, now = (f"{each.speedup:.3f}x{_shown(each.speedup_ci95)}" for each in (stored, again))
    return agree, f"speed-up: {then} then, {now} now: {words[agree]}"


def _baselines(stored: ResultLine, again: ResultLine) -> tuple[bool | None, str]:
    ratio = speedup_interval(stored.times, again.times)
    if ratio is None:
        return None, "then / now: no interval"
    agree = ratio[0] <= 1 <= ratio[1]
    return agree, f"then / now:{_shown(ratio)} {'contains' if agree else 'does not contain'} 1"


def _changed(stored: ResultLine, again: ResultLine) -> Iterator[str]:
    """Yield what differs between how the two were measured, as `seed 1 -> 2`."""
    for name in LINE_FIELDS:
        then, now = getattr(stored, name), getattr(again, name)
        if then != now:
            yield f"{name} {then} -> {now}"
    # Earlier versions named less, and some of what stands there is a result.
    for name in sorted((stored.environment.keys() & again.environment.keys()) - _RESULTS):
        then, now = stored.environment[name], again.environment[name]
        if then != now:
            yield f"{name} {then} -> {now}"
    if versions := changes(stored.versions, again.versions):
        yield versions


def _shown(interval: Interval | None) -> str:
    return f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else ""
