"""Which stored lines are a configuration's own: those whose key is the one that its worker would give them.

What only the worker knows of a measurement (GPU model, data type, batch size after an OOM) stands in the line
itself, so that a reader can tell without a GPU and without torch.
"""

from collections.abc import Iterable, Iterator, Mapping

from accsearch.config.schema import Config
from accsearch.grid.conditions import condition_batches
from accsearch.grid.setting import CONFIGURED_BATCH, Setting, dtype_on_cpu, reuse_key, setting_of
from accsearch.result_lines.file import fault, latest
from accsearch.result_lines.frontier import rough_answers
from accsearch.result_lines.line import ResultLine
from accsearch.task import BASELINE, Task


def own_lines(config: Config, task: Task, lines: Iterable[ResultLine]) -> dict[str, ResultLine]:
    """Return the last line of each trial and condition that is `config`'s own, by the line's name.

    Left out are lines of another setting, and of trials that `config` does not list. A pruned line counts where
    the configuration's search prunes.
    """
    own = _Own(config, task)
    return latest(line for line in lines if own.holds(line))


def reusable_lines(config: Config, task: Task, lines: Iterable[ResultLine]) -> dict[str, ResultLine]:
    """Return those own lines that a worker would not measure again, the baseline's among them."""
    own = own_lines(config, task, lines)
    return {name: line for name, line in own.items() if stands(line)}


def stands(line: ResultLine) -> bool:
    """Say whether a worker reuses an own line: a result, or a condition under which nothing new is to be measured."""
    kept = line.status == "ok" or (line.status == "pruned" and line.condition is not None)
    return kept and fault(line) is None


def proves(config: Config) -> bool:
    """Say whether trials are chosen by the upper-bound search; without a score nothing can be proved of a loss."""
    return config.search.strategy == "upper_bound" and config.quality is not None


def answers_known(config: Config, task: Task, lines: Mapping[str, ResultLine]) -> bool:
    """Say whether the answers under all limits are proved, or, after a traversal, timed precisely."""
    limits, base = config.search.max_score_loss, lines.get(BASELINE)
    if not proves(config):
        return not rough_answers(task, lines, limits)
    found = base.search if base is not None else None
    return (
        found is not None
        and found.ended is None
        and found.confirm == config.search.confirm
        and found.confidence >= config.search.confidence
        and all(found.of(limit) is not None for limit in limits)
    )


def is_whole(config: Config, task: Task, lines: Iterable[ResultLine]) -> bool:
    """Say whether a worker would find nothing to do: every line stands, is the last of its name, all were measured on
    one kind of machine, and the answers are known.
    """
    lines = list(lines)
    found, last = reusable_lines(config, task, lines), latest(lines)
    base = found.get(BASELINE)
    if base is None:
        return False
    batches = condition_batches(config, config.worker.num_samples, base.batch_size)
    wanted = {trial.id: base.batch_size for trial in task.trials}
    wanted |= {
        f"{trial.id}@{condition}": size for condition, size in batches.items() for trial in task.trials
    }
    if not answers_known(config, task, found):
        return False
    return all(
        (line := found.get(name)) is not None
        and line is last[name]
        and (line.gpu_name, line.dtype, line.batch_size) == (base.gpu_name, base.dtype, size)
        for name, size in wanted.items()
    )


class _Own:
    """What the lines of one task are compared with."""

    def __init__(self, config: Config, task: Task) -> None:
        self._config = config
        self._task = task
        self._methods = {trial.id: trial.methods for trial in task.trials}
        self._settings: dict[tuple[int, str, str | None], Setting] = {}

    def holds(self, line: ResultLine) -> bool:
        name = line.trial if line.condition is None else line.trial.removesuffix(f"@{line.condition}")
        methods = self._methods.get(name)
        if methods is None or line.dtype is None or not self._is_possible(line):
            return False
        searched = self._config.search.strategy == "upper_bound" or line.condition is not None
        if line.status == "pruned" and not searched:
            return False
        return line.key == reuse_key(
            self._setting(line.batch_size, line.dtype, line.gpu_name), methods, line.condition
        )

    def _setting(self, batch_size: int, dtype: str, gpu_model: str | None) -> Setting:
        facts = (batch_size, dtype, gpu_model)
        if facts not in self._settings:
            self._settings[facts] = setting_of(
                self._config, self._task, batch_size=batch_size, dtype=dtype, gpu_model=gpu_model
            )
        return self._settings[facts]

    def _is_possible(self, line: ResultLine) -> bool:
        """Say whether the configuration could have led to the line's device, data type and batch size."""
        worker = self._config.worker
        if line.gpu_name is None:
            device = worker.device != "cuda" or self._config.gpus.allow_cpu
            dtype = dtype_on_cpu(worker.dtype)
        else:
            device, dtype = worker.device != "cpu", worker.dtype
        return device and line.dtype == dtype and line.batch_size in self._batch_sizes(line)

    def _batch_sizes(self, line: ResultLine) -> Iterator[int]:
        """Yield the batch sizes that the line may have: the configured one, and its halves after an OOM."""
        asked, samples = self._config.worker.batch_size, self._config.worker.num_samples
        # Lines of earlier versions do not say what was asked for.
        halved = line.environment.get(CONFIGURED_BATCH, asked) == asked
        sizes = [min(asked, samples)]
        while halved and asked > 1:
            asked //= 2
            sizes.append(min(asked, samples))
        if line.condition is None:
            yield from sizes
            return
        for size in sizes:
            batches = condition_batches(self._config, samples, size)
            if line.condition in batches:
                yield batches[line.condition]
