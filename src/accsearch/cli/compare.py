"""`accsearch compare`: generated code against a reference."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from accsearch.cli.options import HERE, JsonOption, WorkDirOption

if TYPE_CHECKING:
    from rich.table import Table


class Mode(StrEnum):
    STATIC = "static"
    RELAXED = "relaxed"
    OBJECTS = "objects"
    HYBRID = "hybrid"


def compare(
    reference: Annotated[Path, typer.Argument(metavar="REFERENCE", help="The program to compare with.")],
    generated: Annotated[Path, typer.Argument(metavar="GENERATED", help="The program to be judged.")],
    mode: Annotated[Mode, typer.Option("--mode", help="How to compare; see docs/codeeval.md.")] = Mode.STATIC,
    allow_exec: Annotated[
        bool, typer.Option("--allow-exec", help="Let objects and hybrid run the two programs, in a sandbox.")
    ] = False,
    weights: Annotated[
        Path | None,
        typer.Option("--weights", metavar="FILE", help="Weights of the relaxed mode, YAML or JSON."),
    ] = None,
    isolation: Annotated[
        str | None, typer.Option("--isolation", help="auto, landlock, bubblewrap, unshare or none.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option("--timeout", min=1, max=604_800, help="Seconds that each program may run.")
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option("--tolerance", min=0, max=1, help="Largest relative difference of numbers in tensors."),
    ] = None,
    workdir: WorkDirOption = HERE,
    json: JsonOption = False,
) -> int:
    """Compare generated code with a reference; nothing is kept in the work directory."""
    from rich.markup import escape

    from accsearch.cli.output import console, message, print_json
    from accsearch.errors import UsageError
    from accsearch.sandbox.printable import printable

    for path in (reference, generated):
        if not path.is_file():
            raise UsageError(f"{path}: {'not a file' if path.exists() else 'no such file'}")
    running = mode in (Mode.OBJECTS, Mode.HYBRID)
    if running and not allow_exec:
        raise UsageError(f"--mode {mode} runs both programs: give --allow-exec to let it")
    given = {"isolation": isolation, "timeout": timeout, "relative": tolerance}
    how = {name: value for name, value in given.items() if value is not None}
    if how and not running:
        raise UsageError("--isolation, --timeout and --tolerance belong to --mode objects and hybrid")
    if weights is not None and mode is not Mode.RELAXED:
        raise UsageError("--weights belongs to --mode relaxed")
    result = _compared(reference, generated, mode, weights, how)
    error = result.get("error") or (result.get("objects") or {}).get("error")
    if error:
        message(f"accsearch: {printable(error)}")
    if json:
        print_json(result)
    else:
        out = console()
        for table in _tables(result):
            out.print(table)
        for remark in result["remarks"]:
            out.print(f"remark: {escape(printable(remark))}")
        out.print(_summary(result))
    return 0 if result["verdict"] == "match" else 1


def _compared(
    reference: Path, generated: Path, mode: Mode, weights: Path | None, how: dict[str, Any]
) -> dict[str, Any]:
    """Return the comparison; `how` are the options of the modes that run the programs."""
    if mode is Mode.RELAXED:
        from accsearch.codeeval.field_weights import load_weights
        from accsearch.codeeval.relaxed import compare_relaxed

        return compare_relaxed(reference, generated, None if weights is None else load_weights(weights))
    if mode is Mode.STATIC:
        from accsearch.codeeval.static import compare_static

        return compare_static(reference, generated)
    from accsearch.codeeval.objects import compare_objects

    if mode is Mode.OBJECTS:
        return {"mode": mode.value, **compare_objects(reference, generated, allow_exec=True, **how)}
    from accsearch.codeeval.static import compare_static

    result = {**compare_static(reference, generated), "mode": mode.value, "objects": None}
    if result["verdict"] in ("match", "undetermined"):
        objects = compare_objects(reference, generated, allow_exec=True, **how)
        # Objects that match decide no field that stayed open, such as the number of steps.
        same = objects["verdict"] == "match"
        result.update(objects=objects, verdict=result["verdict"] if same else objects["verdict"])
    return result


def _tables(result: dict[str, Any]) -> "list[Table]":
    from rich.markup import escape
    from rich.table import Table

    from accsearch.sandbox.printable import printable

    tables: list[Table] = []
    if "fields" in result:
        scored = "score" in result
        scores = ("similarity", "note") if scored else ()
        table = Table("field", "reference", "generated", "match", *scores, box=None, pad_edge=False)
        for name, field in result["fields"].items():
            cells = [
                name,
                *(
                    _shown(field[side], state)
                    for side, state in zip(("reference", "generated"), field["states"], strict=True)
                ),
                "yes" if field["match"] else "open" if "undetermined" in field["states"] else "no",
            ]
            table.add_row(
                *cells, *([f"{field['similarity']:.2f}", escape(printable(field["note"]))] if scored else [])
            )
        tables.append(table)
    objects = result if "differences" in result else result.get("objects")
    if objects and objects["differences"]:
        table = Table("path", "reference", "generated", box=None, pad_edge=False)
        for difference in objects["differences"]:
            table.add_row(*(_shown(difference[key]) for key in ("path", "reference", "generated")))
        tables.append(table)
    return tables


def _shown(value: Any, absent: str = "absent") -> str:
    from rich.markup import escape

    from accsearch.sandbox.printable import printable

    if value is None:
        return absent
    if isinstance(value, list):
        return escape(printable(", ".join(map(str, value)))) or "none"
    return escape(printable(value))


def _summary(result: dict[str, Any]) -> str:
    if "fields" in result:
        text = f"{result['verdict']}: {result['matched']} of {result['total']} fields match"
        if "score" in result:
            text += f", score {result['score']:.2f}"
        if result.get("objects"):
            text += f", {result['objects']['matched']} of {result['objects']['compared']} objects match"
        return text
    return f"{result['verdict']}: {result['matched']} of {result['compared']} objects match"
