"""From a measurement to its line in the results file."""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from statistics import fmean, median
from typing import Any

from accsearch.cores import usable_cores
from accsearch.grid.setting import Setting, reuse_key
from accsearch.result_lines.disturbance import disturbances
from accsearch.result_lines.line import ResultLine, Timing
from accsearch.result_lines.stats import sample_std
from accsearch.result_lines.versions import installed_versions
from accsearch.task import BASELINE, Methods, Trial
from accsearch.worker.activity import is_active
from accsearch.worker.assignment import Assignment
from accsearch.worker.baseline import Baseline
from accsearch.worker.baseline_times import BaselineTimes, Change
from accsearch.worker.launch import launched_at
from accsearch.worker.machine import Machine
from accsearch.worker.measurement import Measured, Paired
from accsearch.worker.monitor import Conditions
from accsearch.worker.paired_times import Speedup, outliers
from accsearch.worker.quality.loss import loss
from accsearch.worker.quality.optional import distances
from accsearch.worker.quality.similarity import similarity


@dataclass(frozen=True)
class Recorder:
    """Makes the lines of one task's attempt, or of one stability condition in it."""

    assignment: Assignment
    machine: Machine
    driver: str | None
    condition: str | None = None
    commit: str | None = None
    """That of the hub's repository which the model came from."""
    notes: tuple[str, ...] = ()
    """What every line must be read with, as that prompts were cut."""

    def name(self, trial: Trial) -> str:
        """Return what a line calls `trial`."""
        return trial.id if self.condition is None else f"{trial.id}@{self.condition}"

    def key(self, methods: Methods) -> str:
        """Return the reuse key of a trial with `methods`."""
        return reuse_key(self._setting(), methods, self.condition)

    def _setting(self) -> Setting:
        return replace(
            self.assignment.setting, dtype=self.machine.dtype_name, gpu_model=self.machine.gpu_name
        )

    def baseline(self, measured: Measured, times: BaselineTimes) -> ResultLine:
        """Return the line of the baseline with all its `times` through the task so far."""
        line = self._measured(self._line(Trial(BASELINE, {}), "ok"), measured)
        seconds = [run.seconds for run in times.runs]
        line = self._timed(line, "batches", seconds, measured.conditions, times.total_drift)
        return replace(
            line,
            speedup=1.0,
            speedup_ci95=(1.0, 1.0),
            score_loss=0.0 if measured.scores else None,
            score_loss_ci95=(0.0, 0.0) if measured.scores else None,
            efficiency=1.0 if measured.scores else None,
            calls_left=1.0,
        )

    def trial(self, trial: Trial, measured: Measured, baseline: Baseline) -> ResultLine:
        """Return the line of a trial whose batches were timed as they were generated."""
        times = baseline.times
        line = self._measured(self._line(trial, "ok"), measured)
        line = self._timed(line, "batches", measured.seconds, measured.conditions, times.drift)
        lost = loss(baseline.scores, measured.scores, min(self.assignment.config.search.max_score_loss))
        near = similarity(measured.images, baseline.images, self.machine.device)
        far = distances(measured.images, baseline.images, self.machine.device)
        partners = [times.partner(run.batch) for run in measured.runs]
        return replace(
            _sped_up(line, times.speedup(measured.runs), partners, lost.value, self),
            score_loss=lost.value,
            score_loss_ci95=lost.interval,
            prompts_needed=lost.prompts_needed,
            psnr=near.psnr,
            ssim=near.ssim,
            ms_ssim=near.ms_ssim,
            lpips=far.lpips,
            fid=far.fid,
            active=is_active(trial.methods, measured.images, near.psnr, baseline.exact),
            calls_left=_share(measured.block_calls, baseline.block_calls),
        )

    def across(
        self, line: ResultLine, measured: Measured, times: BaselineTimes, change: Change
    ) -> ResultLine:
        """Return the line of a trial of which it turned out that the machine may have changed while it ran."""
        partners = [times.partner(run.batch) for run in measured.runs]
        line = replace(line, note=self._note())
        line = self._timed(line, "batches", measured.seconds, measured.conditions, times.drift)
        return _sped_up(line, times.speedup(measured.runs, change), partners, line.score_loss, self)

    def paired(self, line: ResultLine, paired: Paired, baseline: Baseline) -> ResultLine:
        """Return the line of a trial that was timed once more, in turn with the baseline."""
        times = paired.times
        drift = baseline.times.beside(times.baseline)
        line = replace(
            line,
            attempt=self.assignment.attempt,
            baseline_attempt=self.assignment.attempt,
            startup_seconds=self._startup_seconds(),
            note=self._note(),
            gpu_busy=None,
            host_bound=None,
        )
        line = self._timed(line, "pairs", times.trial, paired.conditions, drift)
        return _sped_up(line, times.speedup, times.baseline, line.score_loss, self)

    def failed(self, trial: Trial, error: str) -> ResultLine:
        """Return the line of a trial that gave no result."""
        return replace(self._line(trial, "failed"), error=error)

    def pruned(self, trial: Trial, why: str) -> ResultLine:
        """Return the line of a trial that the search left out."""
        return replace(self._line(trial, "pruned"), note=why)

    def _line(self, trial: Trial, status: Any) -> ResultLine:
        assignment, setting = self.assignment, self._setting()
        return ResultLine(
            task=assignment.task.id,
            trial=self.name(trial),
            key=self.key(trial.methods),
            attempt=assignment.attempt,
            methods=trial.methods,
            status=status,
            gpu=self.machine.gpu,
            baseline_attempt=assignment.attempt,
            condition=self.condition,
            startup_seconds=self._startup_seconds(),
            timed_seconds=self.machine.meter.seconds,
            note=self._note(),
            versions=installed_versions(),
            environment={
                "driver": self.driver,
                "model_commit": self.commit,
                **setting.environment(),
                **_host(),
            },
            **setting.line_fields(),
        )

    def _startup_seconds(self) -> float | None:
        began = self.machine.meter.began
        return None if began is None else began - launched_at()

    def _note(self) -> str | None:
        """Return what every line of this task or condition must be read with."""
        return "; ".join(note for note in (self.machine.note, *self.notes) if note) or None

    def _measured(self, line: ResultLine, measured: Measured) -> ResultLine:
        height, width = measured.images.pixels.shape[-2:]
        return replace(
            line,
            clip_score=fmean(measured.scores) if measured.scores else None,
            clip_score_std=sample_std(measured.scores),
            scores=tuple(measured.scores),
            peak_memory_bytes=measured.peak_bytes,
            set_up_seconds=measured.set_up_seconds,
            set_up_memory_bytes=measured.set_up_bytes,
            power_watts=measured.power_watts,
            gpu_utilization=measured.utilization,
            images_sha256=measured.images.sha256,
            environment={**line.environment, "height": height, "width": width}
            | ({"calibration": dict(measured.calibration)} if measured.calibration else {}),
        )

    def _timed(
        self,
        line: ResultLine,
        timing: Timing,
        seconds: Sequence[float],
        seen: Conditions,
        drift: float | None,
    ) -> ResultLine:
        """Return `line`, whose note says nothing yet of disturbances, with the seconds of its batches."""
        times = _per_image(self, seconds)
        strangers = ", ".join(map(str, sorted(seen.strangers)))
        notes = [line.note, f"another process used the GPU: pid {strangers}" if strangers else None]
        return _disturbed(
            replace(
                line,
                timing=timing,
                timed_seconds=self.machine.meter.seconds,
                seconds_per_image=median(times),
                seconds_per_image_std=sample_std(times),
                repeats=len(times),
                times=times,
                outliers=outliers(times),
                images_per_second=1 / median(times),
                sm_clock_mhz=seen.sm_clock_mhz,
                throttle_reasons=seen.throttle_reasons,
                cores_used_by_others=seen.cores_used_by_others,
                baseline_drift=drift,
                note="; ".join(note for note in notes if note) or None,
            )
        )


def _disturbed(line: ResultLine) -> ResultLine:
    """Return `line` with what its figures say of disturbances in its note."""
    return replace(line, note="; ".join([*([line.note] if line.note else []), *disturbances(line)]) or None)


def _sped_up(
    line: ResultLine, gain: Speedup, partners: Sequence[float], loss: float | None, recorder: Recorder
) -> ResultLine:
    """Return `line` with its speed-up over the baseline, whose batches took `partners` seconds."""
    return replace(
        line,
        speedup=gain.value,
        speedup_ci95=gain.interval,
        efficiency=None if loss is None else gain.value / (1 + loss),
        environment={**line.environment, "baseline_seconds": _per_image(recorder, partners)},
    )


def _per_image(recorder: Recorder, seconds: Sequence[float]) -> tuple[float, ...]:
    return tuple(taken / recorder.assignment.batch_size for taken in seconds)


def _share(part: int | None, whole: int | None) -> float | None:
    return part / whole if part is not None and whole else None


@cache
def _host() -> Mapping[str, Any]:
    """Return what else is needed to measure again: host, processor threads, state of the source."""
    import torch

    return {
        "host": platform.node(),
        "threads": torch.get_num_threads(),
        "cpus": os.cpu_count(),
        "cores": usable_cores(),
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version() if torch.cuda.is_available() else None,  # type: ignore[no-untyped-call]
        "git": git_state(Path(__file__).parent),
    }


def git_state(folder: Path) -> str | None:
    """Return the commit of the source, marked where files differ from it; None where `folder` is untracked."""
    # An installed package may lie inside a repository that is not its own, as in a virtual environment.
    if _git(folder, "ls-files", "--error-unmatch", ".") is None:
        return None
    return _git(folder, "describe", "--always", "--dirty", "--abbrev=12")


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        ended = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return ended.stdout.strip()
