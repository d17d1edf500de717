"""Stored lines that are not a configuration's own, by the setting that they were measured in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from accsearch.config.schema import Config
from accsearch.grid.reuse import own_lines
from accsearch.grid.setting import CONFIGURED_BATCH, ENVIRONMENT, LINE_FIELDS, dtype_on_cpu, setting_of
from accsearch.result_lines.line import ResultLine
from accsearch.task import BASELINE, Task

_HASHED = frozenset({"model", "prompts", "scorer"})
"""Facts whose value says nothing to a reader."""


@dataclass(frozen=True, slots=True)
class OtherSetting:
    """The last line of each trial in one other setting; `difference` says how it differs from the configuration's."""

    difference: str
    lines: Mapping[str, ResultLine]


def other_settings(config: Config, task: Task, lines: Iterable[ResultLine]) -> list[OtherSetting]:
    """Return the other settings in the order in which they were first measured.

    A trial that is no longer listed stands beside the present baseline, which is that of its setting.
    """
    lines = list(lines)
    own = own_lines(config, task, lines)
    groups: dict[tuple[str, str], dict[str, ResultLine]] = {}
    for line in lines:
        if line.trial not in own or own[line.trial].key != line.key:
            place = (_difference(config, task, line), repr(_facts(line)))
            groups.setdefault(place, {})[line.trial] = line
    base = own.get(BASELINE)
    return [
        OtherSetting(
            difference,
            {BASELINE: base} | members if base is not None and repr(_facts(base)) == facts else members,
        )
        for (difference, facts), members in groups.items()
    ]


def _facts(line: ResultLine) -> dict[str, Any]:
    """Return what a line says of its setting; earlier versions wrote less."""
    named = (name for name in ENVIRONMENT if name in line.environment and name != CONFIGURED_BATCH)
    fields = {name: getattr(line, name) for name in LINE_FIELDS}
    return fields | {name: line.environment[name] for name in named}


def _difference(config: Config, task: Task, line: ResultLine) -> str:
    dtype = config.worker.dtype if line.gpu_name is not None else dtype_on_cpu(config.worker.dtype)
    setting = setting_of(config, task, batch_size=line.batch_size, dtype=dtype, gpu_model=line.gpu_name)
    present, found = setting.line_fields() | setting.environment(), _facts(line)
    differing = [name for name in present if name in found and found[name] != present[name]]
    if differing:
        return ", ".join(
            f"other {name}" if name in _HASHED else f"{name} {found[name]}" for name in differing
        )
    if line.trial.partition("@")[0] not in {trial.id for trial in task.trials}:
        return "no longer listed"
    if line.status == "pruned":
        return "left out by an earlier search"
    return "other device, batch size, repeats, image size, environment or version"
