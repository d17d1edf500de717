"""Compare a generated program with a reference in one of four modes: what `accsearch compare` prints."""

from enum import StrEnum
from pathlib import Path
from typing import Any


class ComparisonMode(StrEnum):
    STATIC = "static"
    RELAXED = "relaxed"
    OBJECTS = "objects"
    HYBRID = "hybrid"

    @property
    def runs_programs(self) -> bool:
        return self in (ComparisonMode.OBJECTS, ComparisonMode.HYBRID)


def compare_files(
    reference: Path, generated: Path, mode: ComparisonMode, weights: Path | None = None, **how: Any
) -> dict[str, Any]:
    """Return the comparison of two files as the JSON of `accsearch compare`.

    `weights` is the file of weights of the relaxed mode; `how` are arguments of `compare_objects`, for the modes that
    run the programs. Raises UsageError for a file that cannot be read or run, ConfigError for wrong weights.
    """
    # The command line names the modes at its start, which these imports would slow down.
    from accsearch.codeeval.static import compare_static

    if mode is ComparisonMode.STATIC:
        return compare_static(reference, generated)
    if mode is ComparisonMode.RELAXED:
        from accsearch.codeeval.field_weights import load_weights
        from accsearch.codeeval.relaxed import compare_relaxed

        return compare_relaxed(reference, generated, None if weights is None else load_weights(weights))
    from accsearch.codeeval.objects import compare_objects

    if mode is ComparisonMode.OBJECTS:
        return {"mode": mode.value, **compare_objects(reference, generated, **how)}
    result = {**compare_static(reference, generated), "mode": mode.value, "objects": None}
    if result["verdict"] in ("match", "undetermined"):
        objects = compare_objects(reference, generated, **how)
        # Objects that match decide no field that stayed open, such as the number of steps.
        same = objects["verdict"] == "match"
        result.update(objects=objects, verdict=result["verdict"] if same else objects["verdict"])
    return result
