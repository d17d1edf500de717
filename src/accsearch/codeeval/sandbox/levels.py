"""Which levels of isolation this machine has, found by building each one around a trivial program."""

import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from accsearch.codeeval.sandbox import bubblewrap, landlock, seccomp
from accsearch.codeeval.sandbox.roots import devices, readable
from accsearch.codeeval.sandbox.rules import Level, Limits, Rules
from accsearch.errors import UsageError

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
        raise UsageError(f"no isolation works here ({'; '.join(reasons)}); --isolation none has limits alone")
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


def launcher(rules: Rules, program: list[str]) -> list[str]:
    """Return the command line that runs `program` within the rules."""
    module = "accsearch.codeeval.sandbox.launch"
    return [sys.executable, "-I", "-B", "-m", module, "outer", rules.to_json(), *program]


def _attempt(level: Level) -> str | None:
    with tempfile.TemporaryDirectory(prefix="accsearch-probe-") as folder:
        scratch = Path(folder).resolve() / "scratch"
        scratch.mkdir()
        scratch.with_name("scratch.root").mkdir()
        rules = Rules(level, str(scratch), readable(), devices(), limits=Limits(wall_seconds=PROBE_SECONDS))
        program = [sys.executable, "-I", "-B", "-c", "open('written', 'w').close()"]
        try:
            ended = subprocess.run(
                launcher(rules, program),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PROBE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"it did not start within {PROBE_SECONDS:.0f} s"
        if ended.returncode == 0 and (scratch / "written").exists():
            return None
        lines = ended.stderr.decode(errors="replace").strip().splitlines()
        return lines[-1].removeprefix("accsearch: ") if lines else f"exit code {ended.returncode}"
