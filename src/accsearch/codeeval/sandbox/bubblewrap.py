"""The level `bubblewrap`: the cage is built by the `bwrap` program."""

import shutil
from collections.abc import Sequence

from accsearch.codeeval.sandbox.rules import Rules

PROGRAM = "bwrap"


def installed() -> bool:
    """Say whether the program is there."""
    return shutil.which(PROGRAM) is not None


def command(rules: Rules, inner: Sequence[str]) -> list[str]:
    """Return the command line that runs `inner` within the rules."""
    line = [PROGRAM, "--unshare-all", "--die-with-parent", "--proc", "/proc", "--dev", "/dev"]
    for path in rules.readable:
        # It has one of its own.
        if path != "/proc" and not path.startswith("/proc/"):
            line += ["--ro-bind", path, path]
    for path in rules.devices:
        if path.startswith("/dev/nvidia"):
            line += ["--dev-bind", path, path]
    line += ["--bind", rules.scratch, rules.scratch, "--chdir", rules.scratch]
    return [*line, "--", *inner]
