"""Which sandbox levels work on this machine, found by running a trivial program at each."""

import sys
from functools import cache

from accsearch.errors import UsageError
from accsearch.sandbox import bubblewrap, landlock, seccomp
from accsearch.sandbox.process import SandboxProcess
from accsearch.sandbox.roots import devices, readable
from accsearch.sandbox.rules import Level, Limits, Rules
from accsearch.sandbox.scratch import scratch_folder

AUTO = "auto"
STRONGEST_FIRST = (Level.LANDLOCK, Level.BUBBLEWRAP, Level.UNSHARE)
PROBE_SECONDS = 30.0


def choose(asked: str) -> Level:
    """Return the level named by `asked`; `auto` is the strongest one that works, never `none`.

    Raises UsageError if it is unknown or does not work here.
    """
    if asked == AUTO:
        reasons = []
        for level in STRONGEST_FIRST:
            reason = missing(level)
            if reason is None:
                return level
            reasons.append(f"{level}: {reason}")
        raise UsageError(f"no sandbox works here ({'; '.join(reasons)}); --isolation none has limits alone")
    if asked not in list(Level):
        raise UsageError(f"--isolation {asked}: allowed {AUTO}, {', '.join(Level)}")
    level = Level(asked)
    reason = missing(level)
    if reason is not None:
        raise UsageError(f"--isolation {asked} is not possible here: {reason}")
    return level


@cache
def missing(level: Level) -> str | None:
    """Return why `level` does not work on this machine, None if it does."""
    if level is Level.LANDLOCK and not landlock.version():
        return "the kernel has no landlock"
    if level is Level.LANDLOCK and not seccomp.supported():
        return "the system calls of this processor are unknown, and landlock alone does not stop sockets"
    if level is Level.BUBBLEWRAP and not bubblewrap.installed():
        return "bwrap is not installed (package bubblewrap)"
    return _attempt(level)


def _attempt(level: Level) -> str | None:
    """Run a program that writes a file at `level`; return why that failed, None if it did not."""
    with scratch_folder() as scratch:
        rules = Rules(level, str(scratch), readable(), devices(), limits=Limits(wall_seconds=PROBE_SECONDS))
        with SandboxProcess(
            rules, [sys.executable, "-I", "-B", "-c", "open('written', 'w').close()"]
        ) as sandbox:
            code = sandbox.wait()
        if code == 0 and (scratch / "written").exists():
            return None
        lines = sandbox.output.strip().splitlines()
        last = lines[-1].removeprefix("accsearch: ") if lines else f"exit code {code}"
        return sandbox.stopped_because or last
