"""Data on stdout, everything else on stderr."""

import io
import json
import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO, cast

import typer

if TYPE_CHECKING:
    from rich.console import Console, OverflowMethod
    from rich.table import Table


def print_json(value: Any) -> None:
    """Print one JSON document on stdout."""
    typer.echo(json.dumps(value, indent=2, allow_nan=False))


def whole_file(path: Path) -> Path:
    """Return where to write a whole file; raises UsageError in place of a device, a pipe or a folder."""
    from accsearch.errors import UsageError

    if path.exists() and not path.is_file():
        raise UsageError(f"{path}: not a regular file, which it would replace")
    return path.resolve()


def message(text: str) -> None:
    """Print one line on stderr; go on if the terminal is gone."""
    _Lasting(sys.stderr).write(f"{text}\n")


class _Lasting(io.TextIOBase):
    """A stderr that drops its text once the terminal of a lost ssh session is gone, so that the run goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def write(self, text: str) -> int:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, self._stream.fileno())
            os.close(devnull)
        return len(text)


def console(*, stderr: bool = False) -> "Console":
    """Return a console that colours only a terminal, never under NO_COLOR, and never cuts piped text."""
    from rich.console import Console

    stream = _Lasting(sys.stderr) if stderr else sys.stdout
    return Console(file=cast(IO[str], stream), highlight=False, width=None if stream.isatty() else 200)


def columns(*headings: str, fold: bool = False) -> "Table":
    """Return an empty table without lines; `fold` goes on in the next line with a word that is too long."""
    from rich.table import Column, Table

    overflow: OverflowMethod = "fold" if fold else "ellipsis"
    return Table(*(Column(each, overflow=overflow) for each in headings), box=None, pad_edge=False)


def cell(value: object) -> str:
    """Return a value that generated code decides as one safe line of a table."""
    from rich.markup import escape

    from accsearch.sandbox.printable import printable

    return escape(printable(value))
