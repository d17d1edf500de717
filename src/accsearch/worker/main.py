"""The worker's entry point: arguments to exit code."""

import sys
from collections.abc import Sequence

from accsearch.errors import AccsearchError, StorageError, UsageError
from accsearch.gpus.device import GpuLost
from accsearch.grid.worker_command import extra_modules
from accsearch.streams import open_streams
from accsearch.task import WorkerExit
from accsearch.termination import end_in_order
from accsearch.worker.arguments import parse
from accsearch.worker.hub import offline_without_hub
from accsearch.worker.imports import collect_again, hasten_imports
from accsearch.worker.quiet import hush
from accsearch.worker.unused_packages import leave_out_unused


def main(argv: Sequence[str]) -> int:
    """Measure one task and return an exit code of `WorkerExit`; 143 after SIGTERM."""
    open_streams()
    arguments = parse(argv)
    end_in_order()
    hush()
    hasten_imports()
    # Only now, so that a wrong command line is answered without loading torch.
    from accsearch.worker.assignment import assignment_of

    try:
        assignment = assignment_of(arguments)
        if note := offline_without_hub(assignment.config):
            print(f"note: {note}", flush=True)
        leave_out_unused(extra_modules(assignment.task))
        # The hub's client reads once, when it is imported, whether it is offline.
        from accsearch.worker.run import run

        code = run(assignment, arguments.replay)
    except StorageError as error:
        return _say(error, WorkerExit.STORAGE)
    except GpuLost as error:
        return _say(error, WorkerExit.LOST_GPU)
    except UsageError as error:
        return _say(error, WorkerExit.CONFIG)
    except AccsearchError as error:
        return _say(error, WorkerExit.CONFIG if error.exit_code == 2 else WorkerExit.ERROR)
    finally:
        collect_again()
    return code


def _say(error: Exception, code: int) -> int:
    print(f"error: {error}", file=sys.stderr, flush=True)
    return code
