"""Run a short program as a generated file, in a sandbox of a level that this machine has."""

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

from accsearch.sandbox.client import ReadableModels, Refused, SandboxClient, open_client
from accsearch.sandbox.levels import missing
from accsearch.sandbox.rules import GIB, Level, Limits

LIMITS = Limits(wall_seconds=60.0, cpu_seconds=60, memory=4 * GIB, processes=20, threads=64)
ISOLATED = [level for level in Level if level is not Level.NONE and missing(level) is None]
PIPE = "pipe = lambda prompt, **options: None\n"


@contextmanager
def running(source: str, level: Level = Level.LANDLOCK, limits: Limits = LIMITS) -> Iterator[SandboxClient]:
    """Yield the client of a program that has not run yet."""
    with open_client(textwrap.dedent(source).encode(), level, limits, ReadableModels({})) as sandboxed:
        yield sandboxed


def load(source: str, level: Level = Level.LANDLOCK, limits: Limits = LIMITS) -> tuple[str, str, list[str]]:
    """Run a program; return its verdict (`loaded` where it has none yet), the error and the notes."""
    with running(source, level, limits) as sandboxed:
        try:
            sandboxed.ask("load", timeout=limits.wall_seconds)
        except Refused as refused:
            return refused.verdict, str(refused), sandboxed.read_notes()
        return "loaded", "", sandboxed.read_notes()
