"""The program: registers the commands and maps exceptions to exit codes, in one place."""

import gc
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from accsearch import __version__
from accsearch.cli import (
    best,
    compare,
    doctor,
    evaluate,
    export,
    gpus,
    logs,
    plan,
    replay,
    report,
    retry,
    run,
    status,
    stop,
    tune,
)
from accsearch.errors import AccsearchError, StorageError
from accsearch.signals import end_in_order

app = typer.Typer(
    name="accsearch",
    help="Find how fast a diffusion pipeline can go before its images get worse.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

COMMANDS: dict[str, Callable[..., Any]] = {
    "run": run.run,
    "plan": plan.plan,
    "status": status.status,
    "retry": retry.retry,
    "logs": logs.logs,
    "stop": stop.stop,
    "gpus": gpus.gpus,
    "doctor": doctor.doctor,
    "best": best.best,
    "report": report.report,
    "export": export.export,
    "compare": compare.compare,
    "evaluate": evaluate.evaluate,
    "tune": tune.tune,
    "replay": replay.replay,
}
for _name, _function in COMMANDS.items():
    app.command(_name)(_function)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"accsearch {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(2)


def main() -> None:
    """Run the command line; never ends in a traceback for a mistake of the user's."""
    # What is made of thousands of tasks lives to the end: collecting it early and often costs a tenth of the time.
    gc.set_threshold(50_000)
    end_in_order()
    sys.exit(_exit_code())


def _exit_code() -> int:
    try:
        result = app(standalone_mode=False)
    except AccsearchError as error:
        return _complain(str(error), error.exit_code)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        command = "accsearch" if context is None else context.command_path
        text = error.format_message().replace("Value error, ", "").removesuffix(".")
        return _complain(f"{text} (see `{command} --help`)", error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        # The reader of our stdout (head, less) has gone; say nothing more on it at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _complain(f"{place}{error.strerror or error}", StorageError.exit_code)
    return result if isinstance(result, int) else 0


def _complain(text: str, code: int) -> int:
    print("accsearch: " + " ".join(text.splitlines()), file=sys.stderr)
    return code
