"""`accsearch compare`: generated code against a reference."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from accsearch.cli.options import HERE, JsonOption, WorkDirOption
from accsearch.codeeval.comparison import ComparisonMode, compare_files

if TYPE_CHECKING:
    from rich.table import Table


def compare(
    reference: Annotated[Path, typer.Argument(metavar="REFERENCE", help="The program to compare with.")],
    generated: Annotated[Path, typer.Argument(metavar="GENERATED", help="The program to be judged.")],
    mode: Annotated[
        ComparisonMode, typer.Option("--mode", help="How to compare; see docs/codeeval.md.")
    ] = ComparisonMode.STATIC,
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
    from accsearch.cli.output import cell, console, message, print_json
    from accsearch.errors import UsageError
    from accsearch.sandbox.printable import printable

    for path in (reference, generated):
        if not path.is_file():
            raise UsageError(f"{path}: {'not a file' if path.exists() else 'no such file'}")
    if mode.runs_programs and not allow_exec:
        raise UsageError(f"--mode {mode} runs both programs: give --allow-exec to let it")
    given = {"isolation": isolation, "timeout": timeout, "relative": tolerance}
    how = {name: value for name, value in given.items() if value is not None}
    if how and not mode.runs_programs:
        raise UsageError("--isolation, --timeout and --tolerance belong to --mode objects and hybrid")
    if weights is not None and mode is not ComparisonMode.RELAXED:
        raise UsageError("--weights belongs to --mode relaxed")
    result = compare_files(reference, generated, mode, weights, allow_exec=allow_exec, **how)
    error = result.get("error") or (result.get("objects") or {}).get("error")
    if error:
        message(f"accsearch: {printable(error)}")
    if json:
        print_json(result)
    else:
        out = console()
        for table in _tables(result):
            out.print(table)
        for difference in result.get("parameters", {}).get("differences", ()):
            out.print(f"method: {cell(difference)}")
        for remark in result["remarks"]:
            out.print(f"remark: {cell(remark)}")
        out.print(_summary(result))
    return 0 if result["verdict"] == "match" else 1


def _tables(result: dict[str, Any]) -> "list[Table]":
    from accsearch.cli.output import cell, columns

    tables: list[Table] = []
    if "fields" in result:
        scored = "score" in result
        scores = ("similarity", "note") if scored else ()
        table = columns("field", "reference", "generated", "match", *scores)
        for name, field in result["fields"].items():
            cells = [
                name,
                *(
                    _shown(field[side], state)
                    for side, state in zip(("reference", "generated"), field["states"], strict=True)
                ),
                "yes" if field["match"] else "open" if "undetermined" in field["states"] else "no",
            ]
            table.add_row(*cells, *([f"{field['similarity']:.2f}", cell(field["note"])] if scored else []))
        tables.append(table)
    objects = result if "differences" in result else result.get("objects")
    if objects and objects["differences"]:
        table = columns("path", "reference", "generated")
        for difference in objects["differences"]:
            table.add_row(*(_shown(difference[key]) for key in ("path", "reference", "generated")))
        tables.append(table)
    return tables


def _shown(value: Any, absent: str = "absent") -> str:
    from accsearch.cli.output import cell

    if value is None:
        return absent
    return cell(", ".join(map(str, value))) or "none" if isinstance(value, list) else cell(value)


def _summary(result: dict[str, Any]) -> str:
    if "fields" in result:
        text = f"{result['verdict']}: {result['matched']} of {result['total']} fields match"
        if "score" in result:
            text += f", score {result['score']:.2f}"
        if result.get("objects"):
            text += f", {result['objects']['matched']} of {result['objects']['compared']} objects match"
        return text
    return f"{result['verdict']}: {result['matched']} of {result['compared']} objects match"
