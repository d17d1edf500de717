"""The search's measurements on a loaded pipeline: a trial's methods stay on it while its batches are raced."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import cycle

from accsearch.errors import AccsearchError
from accsearch.methods.info import Kind
from accsearch.result_lines.candidates import is_near
from accsearch.result_lines.line import ResultLine
from accsearch.search.calls import denoiser_calls
from accsearch.search.costs import Trace
from accsearch.search.measure import Batch, Confirmation, Unmeasurable
from accsearch.task import BASELINE, Trial
from accsearch.worker.activity import exact_of, is_active
from accsearch.worker.baseline import Baseline
from accsearch.worker.baseline_times import Timed
from accsearch.worker.batches import Batch as Made
from accsearch.worker.batches import generate_batch, scores_of
from accsearch.worker.budget import Budget
from accsearch.worker.call_timer import denoiser_of, timed_calls
from accsearch.worker.confirmations import Confirmations
from accsearch.worker.fatal_errors import TaskEnded
from accsearch.worker.images import Images, join
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.measurement import plain_call
from accsearch.worker.methods.compose import apply
from accsearch.worker.methods.session import Applied, Unsupported
from accsearch.worker.quality.optional import lpips
from accsearch.worker.quality.similarity import similarity
from accsearch.worker.raced import Raced
from accsearch.worker.stopwatch import EXTRA_WARM_UPS, Times, race
from accsearch.worker.stored_batches import StoredBatches

Fail = Callable[[Trial, Exception], object]
"""Take in why a trial cannot be measured; may raise TaskEnded."""
PLAIN = Trial(BASELINE, {})


class Racing:
    """Fulfils `search.measure.Measure`.

    `stored` are lines of earlier attempts, by trial: what they hold is not measured again. `fail` hears of a trial that
    cannot be measured.
    """

    def __init__(
        self,
        loaded: LoadedTask,
        baseline: Baseline,
        stored: Mapping[str, ResultLine],
        confirmations: Confirmations,
        budget: Budget,
        fail: Fail,
    ) -> None:
        self.loaded = loaded
        self.budget = budget
        self.confirmations = confirmations
        self.raced: dict[str, Raced] = {}
        self.in_turn: dict[str, list[Times]] = {}
        """Times of trials and the baseline that were measured in turn, by trial."""
        self._baseline = baseline
        self._stored = StoredBatches(stored, baseline)
        self._fail = fail
        self._stack = ExitStack()
        self._open: tuple[Trial, Applied] | None = None
        self._size = loaded.assignment.batch_size
        self._batches = loaded.workload.batches(self._size)
        self._worker = loaded.assignment.config.worker
        self._plain_trace = self._trace(PLAIN)
        self.forget(PLAIN)
        self._surplus = len(self._plain_trace.kinds) - loaded.assignment.setting.steps * self._order

    @property
    def _order(self) -> int:
        return int(self.loaded.pipeline.scheduler.order)

    def calls(self, trial: Trial) -> tuple[Kind, ...]:
        """Return the kinds of the denoiser calls that a trial makes with the task's sampler."""
        return denoiser_calls(trial.methods, self.loaded.assignment.setting.steps, self._order, self._surplus)

    def trace(self, trial: Trial) -> Trace:
        """Time each denoiser call in the generation of the first batch, which the race goes on from."""
        if trial.id == BASELINE:
            return self._plain_trace
        with self._measurable(trial):
            return self._trace(trial)

    def batch(self, trial: Trial, number: int) -> Batch:
        """Generate, time and score batch `number`, or return what an earlier attempt has of it."""
        if found := self._stored.batch(trial, self._batches[number]):
            return found
        self._stored.supersede(trial)
        with self._measurable(trial):
            raced = self.raced.setdefault(trial.id, Raced(trial))
            while len(raced.parts) <= number:
                self._generate(trial, raced)
            self._score(raced)
            if number + 1 == len(self._batches):
                self._check_distance(raced)
                self._repeat(trial, raced)
            return self._batch(raced, number)

    def log_ratios(self, trial: Trial) -> Sequence[float]:
        """Time the first batch in turn with the baseline, `worker.repeats` times."""
        repeats = self._worker.repeats
        settings = self._worker.model_copy(update={"max_repeats": repeats})
        with self._measurable(trial):
            applied = self._applied(trial)
            arguments = self.loaded.workload.arguments(self._batches[0])
            times = race(
                self.loaded.machine,
                applied,
                partial(applied, **arguments),
                partial(plain_call, self.loaded, **arguments),
                settings,
            )
        self.budget.seconds += sum(times.trial) + sum(times.baseline)
        self.in_turn.setdefault(trial.id, []).append(times)
        return [math.log(base / own) for base, own in zip(times.baseline, times.trial, strict=True)]

    def confirm(self, trial: Trial, prompts: int) -> Confirmation:
        """Measure a trial and the baseline in turn on the first `prompts` fresh prompts."""
        with self._measurable(trial):
            return self.confirmations.confirm(trial, prompts, partial(self._pair, trial))

    def _pair(self, trial: Trial, portion: LoadedTask, number: int, *, first: bool) -> tuple[Made, Made]:
        """Generate batch `number` of a portion of fresh prompts by baseline and trial, which may go `first`."""
        applied = self._applied(trial)
        early = self._own(applied, portion, number) if first else None
        with applied.suspended():
            base = generate_batch(portion, partial(plain_call, portion), number, self._size)
        own = early or self._own(applied, portion, number)
        self.budget.seconds += own.seconds + base.seconds
        return base, own

    def _own(self, applied: Applied, portion: LoadedTask, number: int) -> Made:
        # The pipeline's parts are exchanged and kept as for the baseline's run: see `stopwatch.race`.
        with applied.suspended():
            pass
        kept = applied.snapshot()
        made = generate_batch(portion, applied, number, self._size)
        del kept
        return made

    def exhausted(self) -> bool:
        """Say whether the budget is spent."""
        return self.budget.spent

    def is_stored(self, trial: Trial) -> bool:
        """Say whether all that the search used of a trial is in a line of an earlier attempt."""
        return self._stored.holds(trial)

    def forget(self, trial: Trial) -> None:
        """Drop the images of a trial whose line is written."""
        self.raced.pop(trial.id, None)

    def close(self) -> None:
        """Take the methods off the pipeline."""
        self._open = None
        self._stack.close()

    @contextmanager
    def _measurable(self, trial: Trial) -> Iterator[None]:
        try:
            yield
        except (AccsearchError, TaskEnded):
            raise
        except Exception as error:
            self.close()
            self._fail(trial, error)
            raise Unmeasurable(str(error)) from error

    def _applied(self, trial: Trial) -> Applied:
        """Return the pipeline with the trial's methods on it, instead of those of another."""
        if self._open is not None and self._open[0].id == trial.id:
            return self._open[1]
        self.close()
        if self._baseline.is_due:
            self._baseline.probe(self.loaded, self._size)
            self.budget.seconds += self._baseline.times.seconds
        before, began = self.loaded.machine.allocated(), time.perf_counter()
        raced = self.raced.setdefault(trial.id, Raced(trial))
        raced.readings = self._stack.enter_context(self.loaded.monitor.watching())
        config = self.loaded.assignment.config
        applied = self._stack.enter_context(
            apply(
                self.loaded.pipeline,
                trial.methods,
                implementation=config.implementation,
                seed=self._worker.seed,
                calibrations=self.loaded.calibrations,
            )
        )
        applied.settle(**self.loaded.workload.arguments([0]))
        raced.calibration = applied.calibration
        entered = time.perf_counter() - began
        if not raced.parts:
            raced.set_up_seconds = entered
            raced.bytes_before = before
            # The first prompt shows as much as a batch.
            applied.verify(**self.loaded.workload.arguments([0]))
        self._stack.enter_context(raced.readings.timing())
        self._open = trial, applied
        return applied

    def _generate(self, trial: Trial, raced: Raced) -> float:
        """Generate the next batch and return its seconds."""
        applied, machine = self._applied(trial), self.loaded.machine
        number = len(raced.parts)
        machine.reset_peak()
        counts = number == 0 and "compile" not in trial.methods
        made = generate_batch(self.loaded, applied, number, self._size, counts_blocks=counts)
        raced.took(made, machine, applied.idle_bytes + self.loaded.scorer_bytes)
        self.budget.seconds += made.seconds
        if len(made.prompts) == self._size:
            raced.runs.append(Timed(number, made.seconds))
        return made.seconds

    def _score(self, raced: Raced) -> None:
        while len(raced.scored) < len(raced.parts):
            raced.scored.append(scores_of(self.loaded, raced.parts[len(raced.scored)]))

    def _check_distance(self, raced: Raced) -> None:
        """Raise Unsupported where a trial's images are too far from the baseline's."""
        limit = self.loaded.assignment.config.search.max_lpips
        if limit is None:
            return
        images = join([part.images for part in raced.parts])
        far = lpips(images, self._baseline.images, self.loaded.machine.device)
        if not is_near(far, limit):
            raise Unsupported(
                f"its images have LPIPS {far:.3g} to the baseline's, above search.max_lpips {limit:g}"
            )

    def _repeat(self, trial: Trial, raced: Raced) -> None:
        """Run batches again where too few runs count."""
        full = len(self.loaded.workload.prompts) // self._size
        most = len(raced.runs) + self._worker.warmup + self._worker.repeats + EXTRA_WARM_UPS
        for number in cycle(range(full)):
            if len(raced.counting(self._worker.warmup)) >= self._worker.repeats or len(raced.runs) >= most:
                return
            made = generate_batch(self.loaded, self._applied(trial), number, self._size)
            raced.runs.append(Timed(number, made.seconds))
            self.budget.seconds += made.seconds

    def _batch(self, raced: Raced, number: int) -> Batch:
        made, prompts, times = raced.parts[number], self._batches[number], self._baseline.times
        return Batch(
            made.seconds,
            times.partner(number),
            raced.scored[number],
            self._baseline.scores_of(prompts),
            changed=self._changes(raced.trial, made.images, prompts),
            counts=number >= self._worker.warmup and len(prompts) == self._size,
            shared_error=times.state_error,
        )

    def _changes(self, trial: Trial, images: Images, prompts: Sequence[int]) -> bool:
        """Say whether the images differ from the baseline's; those of exact methods alone need not."""
        reference = Images(self._baseline.images.pixels[prompts[0] : prompts[-1] + 1])
        if not exact_of(trial.methods):
            return not images.same_as(reference)
        psnr = similarity(images, reference, self.loaded.machine.device).psnr
        return is_active(trial.methods, images, psnr, {}) is not False

    def _trace(self, trial: Trial) -> Trace:
        raced = self.raced.setdefault(trial.id, Raced(trial))
        applied = self._applied(trial)
        if "compile" in trial.methods:
            # Its first run compiles.
            self.budget.seconds += generate_batch(self.loaded, applied, 0, self._size).seconds
        with timed_calls(denoiser_of(self.loaded.pipeline), self.loaded.machine) as times:
            whole = self._generate(trial, raced)
        seconds = times.seconds()
        if trial.id == BASELINE:
            return Trace(("",) * len(seconds), seconds, whole)
        kinds = self.calls(trial)
        # A pipeline that makes more or fewer calls than it is known to: the rest is not the calls'.
        count = min(len(kinds), len(seconds))
        return Trace(kinds[:count], seconds[:count], whole - sum(seconds[count:]))
