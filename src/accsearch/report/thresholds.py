"""The numbers that quantiles stood for in a task, from the figures that it kept of its plain generations."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from accsearch.methods.info import Parameters, quantile
from accsearch.methods.mag_cache import joined
from accsearch.task import Methods, Scalar


def measured(methods: Methods, calibration: Path) -> Methods:
    """Return `methods` with the threshold in the file `calibration` for each quantile; one that is not there stays."""
    try:
        figures = json.loads(calibration.read_bytes())["figures"]
    except (OSError, ValueError, LookupError, TypeError):
        return methods
    return {
        name: {key: _threshold(figures, name, key, parameters) for key in parameters}
        for name, parameters in methods.items()
    }


def _threshold(figures: Mapping[str, Any], name: str, key: str, parameters: Parameters) -> Scalar:
    value = parameters[key]
    share = quantile(value)
    if share is None:
        return value
    setting = [str(each) for other, each in parameters.items() if other != key]
    found = {
        float(figure[0][0])
        for written, figure in figures.items()
        if written.split(":")[1:] == [name, f"{share:g}", *setting]
    }
    return found.pop() if len(found) == 1 else value


def ratios(calibration: Path) -> list[float] | None:
    """Return MagCache's ratio of each call from the file `calibration`, None where it does not hold exactly one set."""
    try:
        figures = json.loads(calibration.read_bytes())["figures"]
        found = [each for name, each in figures.items() if name.split(":")[1:] == ["ratios"]]
        return joined(found[0]) if len(found) == 1 else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
