"""`python -m accsearch.worker.codeeval`: evaluate one generated file, and write that as a line of JSON."""

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from accsearch.codeeval.benchmark import SENTINEL, find_entry, load_benchmark
from accsearch.codeeval.settings import Settings
from accsearch.cpu_load import settings_now
from accsearch.errors import AccsearchError
from accsearch.sandbox import libc
from accsearch.sandbox.printable import printable
from accsearch.task import WorkerExit
from accsearch.termination import end_in_order
from accsearch.workdir import write_json
from accsearch.worker.quiet import hush
from accsearch.worker.terminal import say


def main(argv: Sequence[str]) -> int:
    """Evaluate one file; 0 whatever its verdict, 2 where it could not be judged at all."""
    parser = argparse.ArgumentParser(prog="python -m accsearch.worker.codeeval", description=__doc__)
    parser.add_argument("--file", type=Path, help="the generated file")
    parser.add_argument("--benchmark", type=Path, help="a benchmark, with --entry")
    parser.add_argument("--entry", help="task of the benchmark")
    parser.add_argument("--out", type=Path, required=True, help="where the evaluation goes")
    defaults = Settings()
    parser.add_argument("--repeats", type=int, default=defaults.repeats)
    parser.add_argument("--images", type=int, default=defaults.images)
    parser.add_argument("--timeout", type=float, default=defaults.timeout)
    parser.add_argument("--isolation", default=defaults.isolation)
    parser.add_argument("--device", default=defaults.device)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--quality")
    parser.add_argument("--prompts")
    options = vars(parser.parse_args(argv))
    file, benchmark, entry, out = (options.pop(name) for name in ("file", "benchmark", "entry", "out"))
    if (file is None) == (benchmark is None or entry is None):
        parser.error("give --file, or --benchmark and --entry")
    end_in_order()
    if file is not None:
        # A session of its own gets neither Ctrl-C nor the end of the terminal.
        libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGTERM)
    hush()
    # Before torch starts threads of its own; the sandbox takes them over.
    os.environ.update(settings_now(os.environ))
    try:
        path, hidden = file, []
        if path is None:
            task = find_entry(load_benchmark(benchmark), entry)
            path = task.generated
            hidden = [benchmark] if task.reference is None else [benchmark, task.reference]
            options["timeout"] = task.timeout or options["timeout"]
        from accsearch.worker.codeeval.evaluate import evaluate

        name = printable(path.name)
        evaluation = evaluate(path, Settings(**options), hidden, lambda text: _say(f"{name}: {text}"))
        write_json(out, evaluation.to_json())
    except AccsearchError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return WorkerExit.CONFIG if error.exit_code == 2 else WorkerExit.ERROR
    if file is None:
        _say(f"{evaluation.verdict}: {printable(evaluation.error or f'{evaluation.speedup:.2f}x')}")
        _say(SENTINEL)
    return WorkerExit.OK


def _say(text: str) -> None:
    """Print a line of progress; go on if nobody reads it any more."""
    with contextlib.suppress(OSError):
        say(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
