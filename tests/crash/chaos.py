"""A grid whose tasks notice if one runs twice at once, and a thread that kills at random."""

import contextlib
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.faults.program import Work, processes_of

WORKER = """
exec 9>>locks/$T
flock -n -E 77 9 || {{ test $? != 77 || echo "twice $T" >> journal; exit 1; }}
echo "begin $T $$" >> journal
{body}
echo "end $T $$" >> journal
"""
"""Whatever a worker starts inherits the lock, so that what survives a killed worker holds it on. The program
that takes it may be killed, too: only its own code says that the lock is held."""


def tasks(number: int) -> list[str]:
    return [f"t{each:04d}" for each in range(number)]


def body(
    rng: random.Random, names: Sequence[str], longest: float, extra: Mapping[str, str] | None = None
) -> str:
    """Return the shell code of all tasks: each sleeps up to `longest` seconds, some leave a process."""
    cases = []
    for name in names:
        left_behind = "setsid sleep 600 &" if rng.random() < 0.05 else ""
        more = (extra or {}).get(name, "")
        cases.append(f"{name}) sleep {rng.uniform(0.1, 1) * longest:.3f}; {left_behind} {more} ;;")
    return "case $T in\n" + "\n".join(cases) + "\nesac"


def configure(work: Work, names: Sequence[str], script: str, **sections: object) -> None:
    """Write the configuration; workers keep their locks and the journal in the test's folder."""
    (work.folder / "locks").mkdir()
    work.shell(WORKER.format(body=script), names, **sections)


def journal(work: Work) -> Counter[str]:
    """Return how often each word (begin, end, twice) stands in the journal."""
    text = (work.folder / "journal").read_text()
    return Counter(line.split()[0] for line in text.splitlines())


def members(folder: Path, scheduler: int | None) -> dict[str, list[int]]:
    """Return the pids that belong to a test, by what they are."""
    found: dict[str, list[int]] = {"scheduler": [], "keeper": [], "worker": []}
    for pid in processes_of(folder):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if pid == scheduler:
            found["scheduler"].append(pid)
        elif b"accsearch.keeper" in words:
            found["keeper"].append(pid)
        elif b"accsearch" not in words:
            found["worker"].append(pid)
    return found


class Chaos:
    """Does one thing at random, again and again, in a thread of its own; `done` counts what it did.

    After `most` things it stops, so that a slow machine, too, gets somewhere.
    """

    def __init__(
        self,
        rng: random.Random,
        work: Work,
        pause: tuple[float, float],
        weights: Mapping[str, int],
        others: Mapping[str, Callable[[], None]] | None = None,
        most: int = 1 << 30,
    ) -> None:
        self.done: Counter[str] = Counter()
        self.scheduler: int | None = None
        self._rng = rng
        self._work = work
        self._pause = pause
        self._most = most
        self._weights = weights
        self._others = dict(others or {})
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        first = list(self._weights)
        while self.done.total() < self._most and not self._over.wait(self._rng.uniform(*self._pause)):
            (what,) = self._rng.choices(list(self._weights), list(self._weights.values()))
            # Whatever may happen does at least once, early on.
            what = next((each for each in first if not self.done[each]), what)
            if what in self._others:
                self._others[what]()
                self.done[what] += 1
            else:
                self._kill(what)

    def _kill(self, what: str) -> None:
        victims = members(self._work.folder, self.scheduler)[what]
        if victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._rng.choice(victims), signal.SIGKILL)
                self.done[what] += 1
