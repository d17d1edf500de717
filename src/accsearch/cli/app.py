"""The program: registers the commands and maps exceptions to exit codes, in one place."""

import gc
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from accsearch import __version__
from accsearch.cli import (
    best,
    compare,
    doctor,
    evaluate,
    export,
    forget,
    gpus,
    logs,
    plan,
    profile,
    replay,
    report,
    retry,
    run,
    status,
    stop,
    tune,
)
from accsearch.cli.output import message
from accsearch.errors import AccsearchError, StorageError
from accsearch.streams import drop_stdout, open_streams
from accsearch.termination import end_in_order

app = typer.Typer(
    name="accsearch",
    help="Find how fast a diffusion pipeline can go before its images get worse.",
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
    "forget": forget.forget,
}
for _name, _function in COMMANDS.items():
    # Given whole, since a help text made from the docstring is cut after 45 characters.
    app.command(_name, short_help=(_function.__doc__ or "").partition("\n")[0])(_function)
app.add_typer(profile.app, name="profile", short_help=profile.HELP)


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
    open_streams()
    end_in_order()
    sys.exit(_written(_exit_code()))


def _exit_code() -> int:
    try:
        result = app(standalone_mode=False)
    except AccsearchError as error:
        return _complain(error.lines, error.exit_code)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        command = "accsearch" if context is None else context.command_path
        text = error.format_message().replace("Value error, ", "").removesuffix(".")
        return _complain([" ".join(f"{text} (see `{command} --help`)".splitlines())], error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except SystemExit as end:
        # click and rich end so where the reader of our output (head, less) has gone; it has what it wanted.
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        drop_stdout()
        return 0
    except OSError as error:
        # What has no name is a stream.
        return _complain([f"{error.filename or 'output'}: {error.strerror or error}"], StorageError.exit_code)
    return result if isinstance(result, int) else 0


def _written(code: int) -> int:
    """Return the exit code once standard output is written, or that of storage if it cannot be."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        drop_stdout()
    except OSError as error:
        drop_stdout()
        return _complain([f"output: {error.strerror}"], StorageError.exit_code)
    return code


def _complain(lines: Sequence[str], code: int) -> int:
    for line in lines:
        message(f"accsearch: {line}")
    return code
