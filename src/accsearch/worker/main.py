"""The worker's entry point: arguments to exit code."""

import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from accsearch.errors import AccsearchError, StorageError, UsageError
from accsearch.task import WorkerExit
from accsearch.worker.arguments import parse
from accsearch.worker.quiet import hush


def main(argv: Sequence[str]) -> int:
    """Measure one task and return an exit code of `WorkerExit`; 143 after SIGTERM."""
    arguments = parse(argv)
    signal.signal(signal.SIGTERM, _terminate)
    hush()
    # Only now, so that a wrong command line is answered without loading torch.
    from accsearch.worker.assignment import assignment_of
    from accsearch.worker.run import run

    try:
        code = run(assignment_of(arguments), arguments.replay)
    except StorageError as error:
        return _say(error, WorkerExit.STORAGE)
    except UsageError as error:
        return _say(error, WorkerExit.CONFIG)
    except AccsearchError as error:
        return _say(error, WorkerExit.CONFIG if error.exit_code == 2 else WorkerExit.ERROR)
    return code


def _say(error: Exception, code: int) -> int:
    print(f"error: {error}", file=sys.stderr, flush=True)
    return code


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    # An exception, not os._exit: an open line is finished and built-in folders are removed.
    raise SystemExit(143)
