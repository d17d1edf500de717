"""Durations and sizes as people write them."""

import math
import re

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([smhd])")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kKMGT]?i?B?)")
_POWERS = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4}


def parse_duration(value: object) -> float:
    """Return seconds for a number of them or a text such as `90s`, `12h`, `1h30m`; raises ValueError."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str) and re.fullmatch(rf"(?:{_DURATION.pattern}\s*)+", value.strip()):
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(value))
    else:
        raise ValueError("allowed a duration such as 90s, 30m, 12h, 1d or a number of seconds")
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError("allowed a duration of 0 or more")
    return seconds


def parse_limit(value: object) -> float | None:
    """Return seconds, None for no limit, which 0 means as it does elsewhere; raises ValueError."""
    return None if value is None else parse_duration(value) or None


def parse_budget(value: object) -> int | float | None:
    """Return a number of trials as it is, a duration such as `2h` as a float of seconds; raises ValueError."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    try:
        seconds = 0.0 if isinstance(value, int) else parse_duration(value)
    except ValueError:
        seconds = 0.0
    if seconds > 0:
        return seconds
    raise ValueError("allowed a duration such as 30m or 2h, a number of trials, or null")


def parse_size(value: object) -> int:
    """Return bytes for a number of them or a text such as `1GiB`, `500MB` (1000²); raises ValueError."""
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is not None:
        number, unit = match.groups()
        base = 1024 if "i" in unit else 1000
        factor: int = base ** _POWERS[unit.rstrip("B").rstrip("i")]
        return round(float(number) * factor)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError("allowed a size such as 1GiB, 500MB or a number of bytes")
