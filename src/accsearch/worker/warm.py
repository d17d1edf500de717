"""The process that workers are forked from: `python -m accsearch.worker.warm`, started by a keeper.

It imports what workers import and touches no GPU, so that a worker forked from it can. A request comes on descriptor 3
with two descriptors: the worker's output, and a gate at which the worker waits until its keeper has recorded it. The
answer is the worker's pid. Where an obstacle lets no fork do a worker's work, this process becomes the worker: the
answer is its own pid and the obstacle. Whatever happens to a worker concerns no other: it is a process of its own in a
session of its own, as one that was started anew.
"""

import ctypes
import gc
import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from accsearch.executors.messages import CHANNEL, NONCE
from accsearch.worker.imports import hasten_imports
from accsearch.worker.quiet import hush
from accsearch.worker.unused_packages import leave_out_unused

LONGEST = 1 << 18
"""Bytes of a request."""
PR_SET_PDEATHSIG = 1
NVML_CHECK = "PYTORCH_NVML_BASED_CUDA_CHECK"
NVML_THREAD = re.compile("cuda[0-9a-f]{11}")
"""Name of the thread that NVML has from its first use on, even once it is shut down. In a forked process NVML starts
another. CUDA's own threads have other names."""
LOOKS = 40
LOOK_AGAIN = 0.005
"""How often, and after how many seconds, threads are counted again: one that was ended stays in /proc for a moment."""


def main() -> None:
    """Fork workers until the keeper is gone; in a worker, do what `python -m accsearch.worker` does."""
    _end_with_keeper(signal.SIGKILL)
    hush()
    hasten_imports()
    arguments = _serve(socket.socket(fileno=CHANNEL))
    if arguments is None:
        return
    from accsearch.worker.main import main as run_worker

    sys.exit(run_worker(arguments))


def _serve(channel: socket.socket) -> list[str] | None:
    """Answer requests; return a worker's arguments in that worker, None where there are no more requests."""
    while True:
        data, descriptors, _, _ = socket.recv_fds(channel, LONGEST, 2)
        if not data:
            return None
        request = json.loads(data)
        output, gate = descriptors
        _redirect(output)  # what an import says belongs in the log
        leave_out_unused(request["imports"])
        with _without_cuda():
            for name in request["imports"]:
                _load(name)
        gc.freeze()  # what is here now stays, and a collection in a worker would copy the pages that hold it
        answer = _fork_orphan()
        if answer is not None:
            channel.send(json.dumps(answer).encode())
            if answer["obstacle"] is None:
                os.close(gate)
                _redirect(os.open(os.devnull, os.O_WRONLY))
                continue
        channel.close()  # while anyone has it the keeper does not see that the process it was forked from is gone
        return _begin(request, gate)


def _redirect(output: int) -> None:
    """Make `output` standard output and standard error."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(output, stream.fileno())
    os.close(output)


@contextmanager
def _without_cuda() -> Iterator[None]:
    """Let torch ask NVML whether there is a GPU: once CUDA has been asked, no fork of this process can use it."""
    given = os.environ.get(NVML_CHECK)
    os.environ[NVML_CHECK] = "1"
    try:
        yield
    finally:
        del os.environ[NVML_CHECK]
        if given is not None:
            os.environ[NVML_CHECK] = given


def _load(name: str) -> None:
    """Import `module`, or `module:name` where the module loads that when it is asked for."""
    module, _, attribute = name.partition(":")
    loaded = import_module(module)
    if attribute:
        getattr(loaded, attribute, None)  # what is not there the worker reports


def _fork_orphan() -> dict[str, Any] | None:
    """Fork a worker whose parent is the keeper, a subreaper; return None in it, elsewhere its pid.

    Where no fork could do a worker's work, return the pid of this process and the obstacle.
    """
    pid = os.getpid()
    ours, theirs = os.pipe()
    between = os.fork()
    if between:
        os.close(theirs)
        os.waitpid(between, 0)
        with open(ours, "rb") as pipe:  # noqa: PTH123 - a descriptor
            answer: dict[str, Any] = json.load(pipe)
        return answer
    os.close(ours)
    try:
        obstacle = _obstacle(pid)
        worker = pid if obstacle else os.fork()
    except OSError as error:
        obstacle, worker = str(error), pid
    if worker:
        with suppress(BrokenPipeError):  # it was killed
            os.write(theirs, json.dumps({"pid": worker, "obstacle": obstacle}).encode())
        os._exit(0)
    os.close(theirs)
    return None


def _obstacle(pid: int) -> str | None:
    """Return why a fork of `pid`, the parent of this process, could not do a worker's work, None where it can."""
    torch: Any = sys.modules.get("torch")
    if torch is not None and (torch.cuda.is_initialized() or torch.cuda._is_in_bad_fork()):
        return "CUDA was started in it"
    # Threads that are not ended before a fork, as numpy's are, may hold locks that no process frees then.
    for _ in range(LOOKS):
        threads = _other_threads(pid)
        if not threads:
            return None
        time.sleep(LOOK_AGAIN)
    names = ", ".join(sorted(set(threads)))
    return f"{len(threads)} more {'thread runs' if len(threads) == 1 else 'threads run'} in it ({names})"


def _other_threads(pid: int) -> list[str]:
    """Return the names of the threads of `pid` but its main one and NVML's."""
    names = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        if task.name != str(pid):
            with suppress(FileNotFoundError, ProcessLookupError):  # it has ended
                names.append((task / "comm").read_text().strip())
    return [name for name in names if not NVML_THREAD.fullmatch(name)]


def _begin(request: Mapping[str, Any], gate: int) -> list[str]:
    """Become the worker of a request once the keeper lets it; return the worker's arguments."""
    if os.getsid(0) != os.getpid():
        os.setsid()
    _show_nonce(request["env"][NONCE])
    _end_with_keeper(0)
    if not os.read(gate, 1):
        os._exit(0)
    os.close(gate)
    os.chdir(request["cwd"])
    os.environ.update(request["env"])
    sys.argv[1:] = request["arguments"]
    arguments: list[str] = request["arguments"]
    return arguments


def _end_with_keeper(number: int) -> None:
    """Have this process, though none that it forks, sent a signal when its keeper is gone; 0 is none."""
    libc: Any = ctypes.CDLL(None)
    libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


def _show_nonce(nonce: str) -> None:
    """Put the attempt's nonce into /proc/PID/environ, which shows what a program was started with.

    The keeper has started this one with a nonce of zeros, as long as an attempt's.
    """
    getenv: Any = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_void_p
    address = getenv(NONCE.encode())
    assert len(ctypes.string_at(address)) == len(nonce)
    ctypes.memmove(address, nonce.encode(), len(nonce))


if __name__ == "__main__":
    main()
