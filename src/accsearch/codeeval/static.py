"""The static comparison: the five fields of two programs, found without running either."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from accsearch.codeeval.fields import FIELD_NAMES, Fields, State
from accsearch.codeeval.interpreter.paths import fields_of
from accsearch.codeeval.method_similarity import method_differences
from accsearch.codeeval.source import Unparsable, parse, read_source, with_deep_stack
from accsearch.config.models import MIRRORS

UNREAD = Fields(methods=None)
"""The fields of a file that does not parse."""


def extract(path: Path) -> Fields:
    """Return the fields in force at the last image-generating call of the program in `path`.

    Raises Unparsable if it is no Python program, UsageError if it cannot be read.
    """
    return extract_source(read_source(path).data, str(path))


def extract_source(data: bytes, name: str = "<code>") -> Fields:
    """Return the fields of a program given as bytes; raise Unparsable."""

    def work() -> Fields:
        return fields_of(parse(data, name))

    return with_deep_stack(work)


def compared(
    reference: Path, generated: Path, compare: Callable[[Fields | None, Fields | None], dict[str, Any]]
) -> dict[str, Any]:
    """Return what `compare` says of the fields of two files.

    `remarks` say what was removed around the programs, `error` why one of them does not parse.
    """
    sides: list[Fields | None] = []
    errors, remarks = [], []
    for path in (reference, generated):
        source = read_source(path)
        remarks += [f"{path}: {remark}" for remark in source.remarks]
        try:
            sides.append(extract_source(source.data, str(path)))
        except Unparsable as error:
            sides.append(None)
            errors.append(str(error))
    result = {**compare(*sides), "remarks": remarks}
    return {**result, "error": "; ".join(errors)} if errors else result


def compare_static(reference: Path, generated: Path) -> dict[str, Any]:
    """Return the comparison of two files as the JSON of `accsearch compare --mode static`."""
    return compared(reference, generated, comparison)


def comparison(reference: Fields | None, generated: Fields | None, mode: str = "static") -> dict[str, Any]:
    """Compare two sets of fields; None stands for a file that does not parse, with which nothing matches."""
    parsable = reference is not None and generated is not None
    sides = (reference or UNREAD, generated or UNREAD)
    values = [side.as_json() for side in sides]
    states = [side.states for side in sides]
    fields = {
        name: {
            "reference": values[0][name],
            "generated": values[1][name],
            "match": parsable
            and _matches(
                name, *((each[name], state[name]) for each, state in zip(values, states, strict=True))
            ),
            "states": [state[name] for state in states],
        }
        for name in FIELD_NAMES
    }
    matched = sum(bool(field["match"]) for field in fields.values())
    return {
        "mode": mode,
        "fields": fields,
        "matched": matched,
        "total": len(fields),
        "match_rate": matched / len(fields),
        "verdict": _verdict(fields.values()) if parsable else "unparsable",
        "parameters": {
            "reference": None if reference is None else reference.methods,
            "generated": None if generated is None else generated.methods,
            "differences": _parameter_differences(*sides),
        },
        "also": _also(*sides),
    }


def _matches(name: str, reference: tuple[Any, State], generated: tuple[Any, State]) -> bool:
    """Say whether two values of a field are equal; an undetermined value equals none."""
    (first, first_state), (second, second_state) = reference, generated
    if "undetermined" in (first_state, second_state) or first_state != second_state:
        return False
    if name == "model_id":
        return canonical_model(first) == canonical_model(second)
    return bool(first == second)


def _verdict(fields: Iterable[Mapping[str, Any]]) -> str:
    """Return `match`, `undetermined` where nothing contradicts but something is open, or `mismatch`."""
    different = [field for field in fields if not field["match"]]
    if not different:
        return "match"
    return "undetermined" if all("undetermined" in field["states"] for field in different) else "mismatch"


def _parameter_differences(reference: Fields, generated: Fields) -> list[str]:
    """Return what is different in the methods of two programs; empty if those of one are unknown."""
    if reference.methods is None or generated.methods is None:
        return []
    return method_differences(reference.methods, generated.methods)


def _also(reference: Fields, generated: Fields) -> dict[str, dict[str, Any]]:
    """Return the call's other arguments that either program writes; null for one that only a run can tell."""
    first, second = reference.arguments or {}, generated.arguments or {}
    return {
        name: {"reference": first.get(name), "generated": second.get(name)}
        for name in sorted({*first, *second})
    }


def canonical_model(model_id: str | None) -> str | None:
    """Return the id that stands for all mirrors of `model_id`."""
    return None if model_id is None else MIRRORS.get(model_id, model_id)
