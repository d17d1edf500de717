"""The static comparison: the five fields of two programs, found without running either."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from accsearch.codeeval.fields import FIELD_NAMES, Fields
from accsearch.codeeval.interpreter.paths import fields_of
from accsearch.codeeval.source import Unparsable, parse, read_source, with_deep_stack
from accsearch.config.models import MIRRORS

UNREAD = Fields(methods=None)
"""The fields of a file that does not parse."""


def extract(path: Path) -> Fields:
    """Return the fields in force at the last image-generating call of the program in `path`.

    Raises Unparsable if it is no Python program, UsageError if it cannot be read.
    """
    return extract_source(read_source(path), str(path))


def extract_source(data: bytes, name: str = "<code>") -> Fields:
    """Return the fields of a program given as bytes; raise Unparsable."""

    def work() -> Fields:
        return fields_of(parse(data, name))

    return with_deep_stack(work)


def compared(
    reference: Path, generated: Path, compare: Callable[[Fields | None, Fields | None], dict[str, Any]]
) -> dict[str, Any]:
    """Return what `compare` says of the fields of two files, and as `error` why one of them does not parse."""
    sides: list[Fields | None] = []
    errors = []
    for path in (reference, generated):
        try:
            sides.append(extract(path))
        except Unparsable as error:
            sides.append(None)
            errors.append(str(error))
    result = compare(*sides)
    return {**result, "error": "; ".join(errors)} if errors else result


def compare_static(reference: Path, generated: Path) -> dict[str, Any]:
    """Return the comparison of two files as the JSON of `accsearch compare --mode static`."""
    return compared(reference, generated, comparison)


def comparison(reference: Fields | None, generated: Fields | None, mode: str = "static") -> dict[str, Any]:
    """Compare two sets of fields; None stands for a file that does not parse, with which nothing matches."""
    parsable = reference is not None and generated is not None
    first = (reference or UNREAD).as_json()
    second = (generated or UNREAD).as_json()
    fields = {
        name: {
            "reference": first[name],
            "generated": second[name],
            "match": parsable and values_match(name, first[name], second[name]),
        }
        for name in FIELD_NAMES
    }
    matched = sum(bool(field["match"]) for field in fields.values())
    verdict = "unparsable" if not parsable else "match" if matched == len(fields) else "mismatch"
    return {
        "mode": mode,
        "fields": fields,
        "matched": matched,
        "total": len(fields),
        "match_rate": matched / len(fields),
        "verdict": verdict,
        "parameters": {
            "reference": None if reference is None else reference.methods,
            "generated": None if generated is None else generated.methods,
        },
    }


def values_match(name: str, reference: Any, generated: Any) -> bool:
    """Tell whether two values of a field are the same; null is the same as null, a mirror as its original."""
    if name == "model_id":
        return canonical_model(reference) == canonical_model(generated)
    return bool(reference == generated)


def canonical_model(model_id: str | None) -> str | None:
    """Return the id that stands for all mirrors of `model_id`."""
    return None if model_id is None else MIRRORS.get(model_id, model_id)
