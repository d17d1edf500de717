"""How a trial does beyond the conditions of its task: short and doubled prompts, other batch sizes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from accsearch.results.line import ResultLine
from accsearch.task import Trial
from accsearch.worker.bench import Bench
from accsearch.worker.failure import ends_the_device, one_line
from accsearch.worker.images import InvalidImages
from accsearch.worker.measurement import Baseline, measure_baseline, measure_trial
from accsearch.worker.prompts import doubled, shortened
from accsearch.worker.record import Recorder

REWORDINGS: dict[str, Callable[[str], str]] = {"short": shortened, "doubled": doubled}
BATCH_SIZES = (1, 4, 8)


@dataclass(frozen=True)
class Condition:
    """A name and what it changes."""

    name: str
    bench: Bench
    batch_size: int


class Stability:
    """Measures trials under each condition, the baseline of a condition once."""

    def __init__(self, bench: Bench, recorder: Recorder, write: Callable[[ResultLine], None]) -> None:
        self._bench = bench
        self._recorder = recorder
        self._write = write
        self._conditions: list[Condition] = []
        self._baselines: dict[str, Baseline] = {}

    def measure(self, trial: Trial) -> None:
        """Write one line for each condition; a failure under one is a failed line, and the next follows."""
        for condition in self._conditions or self._prepare():
            recorder = replace(
                self._recorder, assignment=replace(self._recorder.assignment, batch_size=condition.batch_size)
            )
            try:
                line = self._line(trial, condition, recorder)
            except (RuntimeError, MemoryError, InvalidImages) as error:
                if isinstance(error, RuntimeError) and ends_the_device(error):
                    raise
                line = recorder.failed(trial, one_line(error))
            self._write(
                replace(
                    line,
                    trial=f"{trial.id}@{condition.name}",
                    condition=condition.name,
                    key=recorder.key(trial.methods, condition.name),
                )
            )

    def _prepare(self) -> list[Condition]:
        size, prompts = self._bench.assignment.batch_size, self._bench.workload.prompts
        for name, reword in REWORDINGS.items():
            bench = self._bench.reworded([reword(prompt) for prompt in prompts])
            self._conditions.append(Condition(name, bench, size))
        for each in BATCH_SIZES:
            if each <= len(prompts):
                self._conditions.append(Condition(f"batch{each}", self._bench, each))
        return self._conditions

    def _line(self, trial: Trial, condition: Condition, recorder: Recorder) -> ResultLine:
        if condition.name not in self._baselines:
            plain = measure_baseline(condition.bench, condition.batch_size)
            self._baselines[condition.name] = Baseline(plain.images, plain.scores)
        measured = measure_trial(condition.bench, trial.methods, condition.batch_size)
        return recorder.trial(trial, measured, self._baselines[condition.name])
