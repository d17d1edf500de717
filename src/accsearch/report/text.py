"""Numbers as people read them."""

from collections.abc import Mapping
from typing import Any

from accsearch.checkpoint.status import OUTSIDE
from accsearch.methods.catalogue import label
from accsearch.result_lines.stats import Interval
from accsearch.task import Methods

SHOWN_OPEN = 3
"""Trials named in one proof; the others are counted."""
_ENDED = {
    "budget": " when the budget ended",
    "target": " when the target was reached",
    "unfinished": " yet",
}


def speedup(value: float | None, interval: Interval | None = None) -> str:
    """Return a speed-up as `1.52x [1.50, 1.54]`, a dash for None."""
    if value is None:
        return "–"
    return f"{value:.2f}x" + (f" [{interval[0]:.2f}, {interval[1]:.2f}]" if interval else "")


def percent(value: float | None, interval: Interval | None = None) -> str:
    """Return a share as `0.31 % [0.12, 0.50]`, a dash for None."""
    if value is None:
        return "–"
    # Adding zero turns -0.0 into 0.0.
    low_high = f" [{100 * interval[0] + 0:.2f}, {100 * interval[1] + 0:.2f}]" if interval else ""
    return f"{100 * value + 0:.2f} %{low_high}"


def number(value: float | None, digits: int = 2) -> str:
    """Return a number, or a dash where it is undefined."""
    return "–" if value is None else f"{value:.{digits}f}"


def size(value: int | None) -> str:
    """Return bytes as `1.5 GiB`, a dash for None."""
    if value is None:
        return "–"
    amount = float(value)
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"


def duration(seconds: float) -> str:
    """Return seconds as `5.6s`, `3m04s` or `1h02m`."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m{rest:02d}s"


def methods(value: Methods | Mapping[str, Any]) -> str:
    """Return `deepcache interval 3, branch 0 + tome ratio 0.5, downsample 1`, or `none`."""
    parts = []
    for name, parameters in value.items():
        listed = ", ".join(f"{label(name, key)} {item}" for key, item in parameters.items())
        parts.append(f"{name} {listed}".strip())
    return " + ".join(parts) or "none"


def confirmation(confirmed: Mapping[str, Any] | None) -> str:
    """Return on what a winner was confirmed, "" if it was not; `confirmed` is that of `best --json`."""
    if confirmed is None:
        return ""
    prompts, repeated = confirmed["prompts"], confirmed["repeated"]
    if not repeated:
        return f"confirmed on {prompts} fresh prompts"
    return f"confirmed on {prompts} new images, {repeated} of prompts seen before (the source has no more)"


def proof(state: Mapping[str, Any] | None) -> str:
    """Return how far a search's proof got, "" where there was no search; `state` is `proof` of `best --json`."""
    if state is None:
        return ""
    if state["complete"]:
        return (
            f"proof complete ({100 * state['confidence']:g} %): every trial that may be faster was excluded"
        )
    measured = [each for each in state["open"] if each["state"] != "not reached"]
    missing = len(state["open"]) - len(measured)
    parts = [_open(each) for each in measured[:SHOWN_OPEN]]
    if more := len(measured) - len(parts):
        parts.append(f"{more} more undecided")
    if missing:
        parts.append(f"{missing} not measured{_ENDED.get(state['ended'], '')}")
    return f"proof incomplete, these may be faster: {'; '.join(parts)}"


def _open(trial: Mapping[str, Any]) -> str:
    shown = f"{trial['trial']} ({speedup(trial['speedup'])}, loss {percent(trial['score_loss'])}"
    if trial["state"] == "unconfirmed":
        return f"{shown}, not confirmed on fresh prompts)"
    needed = trial["prompts_needed"]
    return f"{shown}, about {needed} prompts would decide)" if needed else f"{shown}, undecided)"


def marks(in_plan: bool, other: str | None) -> str:
    """Return why results are not the latest plan's (`in_plan` and `other` of TaskResults), "" if they are."""
    return "; ".join(mark for mark in (None if in_plan else OUTSIDE, other) if mark)


def marked(name: str, in_plan: bool, other: str | None) -> str:
    """Return a name with the marks in brackets where there are any."""
    shown = marks(in_plan, other)
    return f"{name} ({shown})" if shown else name
