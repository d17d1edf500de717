"""The process between the parent and the program: builds the sandbox, starts the program, ends what that leaves.

`python -m accsearch.sandbox.start STAGE RULES READY ATTEMPTS PROGRAM…`; the parent starts the stage
`outer`. RULES is the descriptor of a file, since they may be longer than an argument can be. To READY goes a
byte when the sandbox is built, and another one if the program could not be started in it all the same. To
ATTEMPTS, a socket, goes the listener of the system call filter.
"""

import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from accsearch.process_tree import descendants
from accsearch.sandbox import landlock, libc, limits, mounts, namespaces, privileges, seccomp
from accsearch.sandbox.bubblewrap import command
from accsearch.sandbox.forbidden_calls import hand_out
from accsearch.sandbox.processes import end_all
from accsearch.sandbox.rules import Level, Rules

MODULE = "accsearch.sandbox.start"
NOT_BUILT = 125
"""Exit code when the sandbox could not be built. The program may have it too: what counts is the byte."""

BUILT, NOT_STARTED = b"b", b"x"
OUTER, INNER = "outer", "inner"


@dataclass(frozen=True, slots=True)
class _Job:
    rules: Rules
    rules_file: int
    ready: int
    attempts: int
    program: tuple[str, ...]


def command_line(stage: str, descriptors: Sequence[int], program: Sequence[str]) -> list[str]:
    """Return the command line of one stage, which inherits the descriptors (rules, ready, attempts)."""
    return [sys.executable, "-I", "-B", "-m", MODULE, stage, *map(str, descriptors), *program]


def main(arguments: list[str]) -> NoReturn:
    """Run one stage; never returns."""
    stage, *numbers = arguments[:4]
    rules_file, ready, attempts = map(int, numbers)
    text = os.pread(rules_file, os.fstat(rules_file).st_size, 0)
    job = _Job(Rules.from_json(text.decode()), rules_file, ready, attempts, tuple(arguments[4:]))
    rules = job.rules
    try:
        if stage == INNER:
            _enter(job, own_user=False, own_count=False)
        _outer(job)
    except OSError as error:
        print(f"accsearch: the sandbox `{rules.level}` cannot be built: {error}", file=sys.stderr, flush=True)
        os._exit(NOT_BUILT)


def _outer(job: _Job) -> NoReturn:
    _die_with_parent()
    # What the program leaves behind comes to this process, however it was started.
    libc.prctl(libc.PR_SET_CHILD_SUBREAPER, 1)
    match job.rules.level:
        case Level.BUBBLEWRAP:
            line = command(
                job.rules, command_line(INNER, (job.rules_file, job.ready, job.attempts), job.program)
            )
            _wait(_fork(lambda: os.execvp(line[0], line)))
        case Level.NONE:
            _wait(_fork(lambda: _enter(job, own_user=False, own_count=False)))
        case Level.LANDLOCK | Level.UNSHARE:
            _wait(_fork(lambda: _separated(job)))


def _separated(job: _Job) -> NoReturn:
    try:
        own_count = namespaces.enter()
    except OSError:
        # A container that forbids namespaces: landlock and the filter do without, if landlock knows signals.
        if job.rules.level is Level.UNSHARE or landlock.version() < landlock.SIGNALS_SINCE:
            raise
        own_user = privileges.can_switch_user()
        # What it may write to in /proc is its own user's.
        _enter(job, own_user=own_user, own_count=False, own_files=own_user)
    own_user = not own_count and privileges.can_switch_user()
    # A root could write to /proc/sys.
    own_files = own_user or os.geteuid() != 0
    _first(lambda: _enter(job, own_user=own_user, own_count=own_count, own_files=own_files, apart=True))


def _first(start: Callable[[], object]) -> NoReturn:
    """Fork the first process of a new process namespace, which outlives nothing and collects its orphans."""

    def init() -> NoReturn:
        _wait(_fork(start))

    _wait(_fork(init))


def _enter(
    job: _Job, *, own_user: bool, own_count: bool, own_files: bool = False, apart: bool = False
) -> NoReturn:
    """Give up what the level takes away, then become the program.

    `apart` says that it is in namespaces of its own, `own_files` that all it could write to in a /proc of its own
    are files of its own processes: threads are named there, by CUDA too, which fails where it cannot.
    """
    rules = job.rules
    # The program gets none of them: it must not say for itself that the sandbox was built.
    os.close(job.rules_file)
    os.set_inheritable(job.ready, False)
    os.set_inheritable(job.attempts, False)
    os.chdir(rules.scratch)
    # Before /proc changes, in which the tasks of the user are counted.
    limits.apply(rules.limits, private_count=own_user or own_count)
    if rules.level is Level.UNSHARE:
        place = rules.scratch + ".root"
        mounts.confine(rules.readable, rules.devices, rules.scratch, place, own_files=own_files)
    elif apart:
        # With the machine's /proc its numbers of processes would not be the program's, and those of others show.
        own_files = mounts.own_processes() and own_files
    if rules.level is not Level.NONE:
        if own_user:
            privileges.switch_user(rules.scratch)
        else:
            privileges.drop_all()
        # A change of user forgets this.
        _die_with_parent()
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    if rules.level is Level.LANDLOCK:
        usable = (*rules.devices, mounts.PROC) if own_files else rules.devices
        landlock.restrict(rules.readable, usable, rules.scratch)
    if rules.level is not Level.NONE and seccomp.supported():
        by_rules = rules.level is not Level.LANDLOCK or landlock.version() >= landlock.TRUNCATION_SINCE
        cuda = any(path.startswith("/dev/nvidia") for path in rules.devices)
        hand_out(job.attempts, seccomp.restrict(truncation=not by_rules, listening=cuda))
    os.write(job.ready, BUILT)
    try:
        os.execve(job.program[0], job.program, dict(rules.environment))
    except OSError:
        os.write(job.ready, NOT_STARTED)
        raise


def _fork(start: Callable[[], object]) -> int:
    child = os.fork()
    if child:
        # The pipes are the program's alone: when it closes them, the parent must see it.
        os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        return child
    try:
        _die_with_parent()
        start()
    except OSError as error:
        print(f"accsearch: the sandbox cannot be built: {error}", file=sys.stderr, flush=True)
    os._exit(NOT_BUILT)


def _wait(child: int) -> NoReturn:
    """Wait for `child`, end everything else that came to this process, and exit as `child` did."""
    while True:
        ended, status = os.wait()
        if ended == child:
            break
    if os.getpid() != 1:
        # The first process of a namespace takes the others with it when it exits.
        end_all(lambda: descendants(os.getpid()))
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _die_with_parent() -> None:
    libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
