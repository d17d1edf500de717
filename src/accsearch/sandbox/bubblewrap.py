"""The level `bubblewrap`: the sandbox is built by the `bwrap` program."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from accsearch.sandbox.rules import Rules

PROGRAM = "bwrap"


def installed() -> bool:
    """Say whether the program is there."""
    return shutil.which(PROGRAM) is not None


def command(rules: Rules, inner: Sequence[str]) -> list[str]:
    """Return the command line that runs `inner` within the rules."""
    line = [PROGRAM, "--unshare-all", "--die-with-parent", "--proc", "/proc", "--dev", "/dev"]
    for path in settings_of_kernel():
        line += ["--ro-bind-try", path, path]
    for path in rules.readable:
        # It has one of its own.
        if path != "/proc" and not path.startswith("/proc/"):
            line += ["--ro-bind", path, path]
    for path in rules.devices:
        if path.startswith("/dev/nvidia"):
            line += ["--dev-bind", path, path]
    line += ["--bind", rules.scratch, rules.scratch, "--chdir", rules.scratch]
    return [*line, "--", *inner]


def settings_of_kernel() -> list[str]:
    """Return the files in /proc that root can write to even without privileges, those of processes left out."""
    entries = (entry for entry in sorted(Path("/proc").iterdir()) if not entry.name.isdigit())
    return [
        str(entry)
        for entry in entries
        if not entry.is_symlink() and (entry.is_dir() or entry.stat().st_mode & 0o222)
    ]
