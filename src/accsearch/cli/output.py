"""Data on stdout, everything else on stderr."""

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console


def print_json(value: Any) -> None:
    """Print one JSON document on stdout."""
    typer.echo(json.dumps(value, indent=2, allow_nan=False))


def message(text: str) -> None:
    """Print one line on stderr; a terminal that has gone away is no reason to stop."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        # The terminal of a dropped ssh session: messages have nowhere to go, the run goes on.
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 2)
        os.close(devnull)


def console(*, stderr: bool = False) -> "Console":
    """Return a console that colours only a terminal, never under NO_COLOR, and never cuts piped text."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, highlight=False, width=None if stream.isatty() else 200)


def duration(seconds: float | None) -> str:
    """Render seconds as `1h02m`, `3m04s` or `5.6s`; a dash for None."""
    if seconds is None:
        return "-"
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m"
