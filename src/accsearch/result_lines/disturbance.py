"""What disturbed a measurement, in words: other processes, a baseline that drifted, a GPU that was slowed down."""

from collections.abc import Iterator

from accsearch.result_lines.line import ResultLine
from accsearch.task import BASELINE

BUSY_SHARE = 0.05
"""Share of the usable cores that others may take unsaid.

What takes that share lengthens a run by about as much, and runs of an undisturbed machine vary by 3 to 6 %
(docs/measurements/benchmarks.md).
"""

SPARE = 0.25
"""Of a core: others may take so much of the last one that a measurement's threads need."""

DRIFT = 1.2
"""Ratio of two median times of the baseline in one attempt up to which it counts as steady.

Where single runs vary by 6 % (docs/measurements/benchmarks.md), the median of three has a standard error of 4.3 %
(1.25 x 6 % over the root of 3) and the ratio of two such medians one of 6.1 %; 1.2 is three of those.
"""

HARMLESS = frozenset({"sw_power_cap", "applications_clocks"})
"""Reasons for a lower clock that are no disturbance: a GPU at full load is held at its power limit."""


def disturbances(line: ResultLine) -> Iterator[str]:
    """Yield what a line's fields say of how it was disturbed; nothing for a quiet measurement."""
    if line.baseline_drift is not None and not 1 / DRIFT <= line.baseline_drift <= DRIFT:
        yield drifted(line.baseline_drift, whole_attempt=line.trial == BASELINE)
    cores, threads = (line.environment.get(name) for name in ("cores", "threads"))
    # What a GPU's host lacks shows in `host_bound`.
    others = line.cores_used_by_others if line.gpu is None else None
    if isinstance(cores, int) and isinstance(threads, int) and (text := busy(others, cores, threads)):
        yield text
    if slowing := [reason for reason in line.throttle_reasons if reason not in HARMLESS]:
        clock = "" if line.sm_clock_mhz is None else f", {line.sm_clock_mhz:.0f} MHz on average"
        yield f"the GPU was slowed down: {', '.join(slowing)}{clock}"


def drifted(ratio: float, *, whole_attempt: bool) -> str:
    """Say how far the baseline drifted: through the attempt, or until a trial since the attempt's start."""
    if whole_attempt:
        return f"the baseline's time changed {ratio:.3g}-fold within the attempt"
    factor, way = (ratio, "slower") if ratio > 1 else (1 / ratio, "faster")
    return f"the baseline was {factor:.3g} times {way} than at the attempt's start"


def busy(others: float | None, cores: int, threads: int) -> str | None:
    """Say that other processes were at work where they took time from a measurement with `threads` on `cores`."""
    if others is None or (others <= BUSY_SHARE * cores and others <= cores - threads + SPARE):
        return None
    own = f"{threads} thread{'' if threads == 1 else 's'}"
    return f"the machine was busy: other processes used {others:.1f} of {cores} cores beside {own}"
