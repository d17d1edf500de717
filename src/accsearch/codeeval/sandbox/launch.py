"""The process between the parent and the cage: builds it, starts the program, ends what that leaves.

`python -m accsearch.codeeval.sandbox.launch STAGE RULES PROGRAM…`; the parent starts the stage `outer`.
"""

import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from accsearch.codeeval.sandbox import landlock, libc, limits, mounts, namespaces, privileges, seccomp
from accsearch.codeeval.sandbox.bubblewrap import command
from accsearch.codeeval.sandbox.processes import descendants, end_all
from accsearch.codeeval.sandbox.rules import Level, Rules

NOT_BUILT = 125
"""Exit code when the cage could not be built; the program was not started."""

STAGES = "outer", "inner"


def main(arguments: list[str]) -> NoReturn:
    """Run one stage; never returns."""
    stage, text, *program = arguments
    rules = Rules.from_json(text)
    try:
        if stage == "inner":
            _enter(rules, program, own_user=False, own_count=False)
        _outer(rules, program, text)
    except OSError as error:
        print(f"accsearch: the sandbox `{rules.level}` cannot be built: {error}", file=sys.stderr, flush=True)
        os._exit(NOT_BUILT)


def _outer(rules: Rules, program: list[str], text: str) -> NoReturn:
    _die_with_parent()
    # What the program leaves behind comes to this process, however it was started.
    libc.prctl(libc.PR_SET_CHILD_SUBREAPER, 1)
    match rules.level:
        case Level.BUBBLEWRAP:
            inner = [sys.executable, "-I", "-B", "-m", __spec__.name, "inner", text, *program]
            line = command(rules, inner)
            _wait(_fork(lambda: os.execvp(line[0], line)))
        case Level.NONE:
            _wait(_fork(lambda: _enter(rules, program, own_user=False, own_count=False)))
        case Level.LANDLOCK:
            _wait(_fork(lambda: _landlocked(rules, program)))
        case Level.UNSHARE:
            _wait(_fork(lambda: _unshared(rules, program)))


def _landlocked(rules: Rules, program: list[str]) -> NoReturn:
    try:
        own_count = namespaces.enter(files=False)
    except OSError:
        # A container that forbids namespaces: landlock and the filter do without, if landlock knows signals.
        if landlock.version() < landlock.SIGNALS_SINCE:
            raise
        _enter(rules, program, own_user=privileges.can_switch_user(), own_count=False)
    own_user = not own_count and privileges.can_switch_user()
    _first(lambda: _enter(rules, program, own_user=own_user, own_count=own_count))


def _unshared(rules: Rules, program: list[str]) -> NoReturn:
    own_count = namespaces.enter(files=True)
    own_user = not own_count and privileges.can_switch_user()
    _first(lambda: _enter(rules, program, own_user=own_user, own_count=own_count))


def _first(start: Callable[[], object]) -> NoReturn:
    """Fork the first process of a new process namespace, which outlives nothing and collects its orphans."""

    def init() -> NoReturn:
        _wait(_fork(start))

    _wait(_fork(init))


def _enter(rules: Rules, program: list[str], *, own_user: bool, own_count: bool) -> NoReturn:
    """Give up what the level takes away, then become the program."""
    os.chdir(rules.scratch)
    if rules.level is Level.UNSHARE:
        place = rules.scratch + ".root"
        mounts.confine(rules.readable, rules.devices, rules.scratch, place)
    limits.apply(rules.limits, private_count=own_user or own_count)
    if rules.level is not Level.NONE:
        if own_user:
            privileges.switch_user(rules.scratch)
        else:
            privileges.drop_all()
        # A change of user forgets this.
        _die_with_parent()
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    if rules.level is Level.LANDLOCK:
        landlock.restrict(rules.readable, rules.devices, rules.scratch)
    if rules.level is not Level.NONE and seccomp.supported():
        by_rules = rules.level is not Level.LANDLOCK or landlock.version() >= landlock.TRUNCATION_SINCE
        seccomp.restrict(truncation=not by_rules)
    os.execve(program[0], program, dict(rules.environment))


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
