"""How trials do beyond the conditions of their task: short and doubled prompts, other batch sizes."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from accsearch.errors import AccsearchError
from accsearch.grid.conditions import condition_batches
from accsearch.task import BASELINE, Trial
from accsearch.worker.assignment import Assignment
from accsearch.worker.baseline import Baseline
from accsearch.worker.fatal_errors import end_if_fatal, ends_the_device, is_out_of_memory, one_line
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.measurement import measure_baseline, measure_trial
from accsearch.worker.probing import Probing, Write
from accsearch.worker.prompts import doubled, shortened
from accsearch.worker.record import Recorder
from accsearch.worker.text_window import read_of, text_windows

REWORDINGS: Mapping[str, Callable[[str], str]] = {"short": shortened, "doubled": doubled}
PLAIN = Trial(BASELINE, {})


@dataclass(frozen=True)
class Condition:
    """A name and what it changes: the batch size or the wording of the prompts."""

    name: str
    batch_size: int
    reword: Callable[[str], str] | None = None

    def recorder(self, recorder: Recorder) -> Recorder:
        """Return `recorder` for lines of this condition."""
        assignment = replace(recorder.assignment, batch_size=self.batch_size)
        return replace(recorder, assignment=assignment, condition=self.name)

    def loaded(self, loaded: LoadedTask) -> LoadedTask:
        """Return `loaded` with this condition's prompts."""
        return (
            loaded if self.reword is None else loaded.reworded([*map(self.reword, loaded.workload.prompts)])
        )


def conditions(assignment: Assignment) -> tuple[Condition, ...]:
    """Return the conditions that the configuration asks for: none unless `worker.stability` is on."""
    batches = condition_batches(assignment.config, assignment.num_samples, assignment.batch_size)
    return tuple(Condition(name, size, REWORDINGS.get(name)) for name, size in batches.items())


def measure_stability(
    loaded: LoadedTask, recorder: Recorder, trials: Sequence[Trial], stand: Collection[str], write: Write
) -> None:
    """Write a line of each of `trials` under each condition, and of the condition's baseline.

    Left out is what `stand`s from an earlier attempt, by the names of lines. A condition that would measure the
    task's own prompts again gives pruned lines that say so. A failure is a failed line, which the next attempt
    tries again; raises TaskEnded where the others would fail too.
    """
    for condition in conditions(loaded.assignment):
        own = condition.recorder(recorder)
        missing = [trial for trial in trials if own.name(trial) not in stand]
        if missing or own.name(PLAIN) not in stand:
            if why := same_as_the_task(condition, loaded):
                for trial in (PLAIN, *missing):
                    write(own.pruned(trial, why))
            else:
                _measure(condition, loaded, own, missing, write)


def same_as_the_task(condition: Condition, loaded: LoadedTask) -> str | None:
    """Return why a condition would measure the task's own prompts again, None where it would not."""
    if condition.reword is None:
        return None
    windows = text_windows(loaded.pipeline, loaded.assignment.model.call)
    prompts = loaded.workload.prompts
    reworded = [condition.reword(prompt) for prompt in prompts]
    if list(prompts) == reworded:
        return f"the {condition.name} prompts are the task's own"
    if windows and all(
        read_of(windows, ours) == read_of(windows, theirs)
        for ours, theirs in zip(prompts, reworded, strict=True)
    ):
        return f"the text encoder reads the same of the {condition.name} prompts as of the task's own"
    return None


def _measure(
    condition: Condition, loaded: LoadedTask, recorder: Recorder, trials: Sequence[Trial], write: Write
) -> None:
    try:
        changed = condition.loaded(loaded)
        recorder = replace(recorder, notes=changed.notes)
        plain = measure_baseline(changed, condition.batch_size)
        baseline = Baseline.of(plain)
        line = recorder.baseline(plain, baseline.times)
    except AccsearchError:
        raise
    except Exception as error:  # noqa: BLE001 - without its baseline a condition says nothing, the next may
        for trial in (PLAIN, *trials):
            write(recorder.failed(trial, one_line(error)))
        _end_if_fatal(error, condition, loaded)
        return
    write(line)
    probing = Probing(changed, recorder, baseline, write)
    for trial in trials:
        try:
            measured = measure_trial(changed, trial.methods, condition.batch_size, probing.after_runs)
            line = recorder.trial(trial, measured, baseline)
        except AccsearchError:
            raise
        except Exception as error:  # noqa: BLE001 - as for the trials of the task itself
            write(recorder.failed(trial, one_line(error)))
            _end_if_fatal(error, condition, loaded)
        else:
            baseline.saw(trial, measured.images)
            write(line)
            probing.ran(line, measured)
    probing.end()


def _end_if_fatal(error: Exception, condition: Condition, loaded: LoadedTask) -> None:
    is_larger = condition.batch_size > loaded.assignment.batch_size
    if is_larger and is_out_of_memory(error) and not ends_the_device(error):
        # That so many images do not fit is what the condition asked; smaller batches for the task do not help.
        return
    end_if_fatal(error)
