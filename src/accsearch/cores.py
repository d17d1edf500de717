"""How many processor cores this process may use, and the threads that a measurement gets of them."""

import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
PASSIVE: Mapping[str, str] = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}
"""Threads that wait for the others sleep instead of spinning.

On a core that somebody else uses too, a spinning thread keeps the very one off it that all the others wait for. Where
the cores are free, to sleep costs more than to spin: a thread is woken up for each operation of a network. The names
are those of OpenMP, of GNU's library and of LLVM's and Intel's.
"""

SPARE = 0.25
"""A core counts as free while others take at most this share of it."""


def usable_cores() -> int:
    """Return how many cores this process may keep busy: those it is bound to, and its control group's quota."""
    bound = len(os.sched_getaffinity(0))
    limit = quota()
    return bound if limit is None else max(1, min(bound, math.floor(limit)))


def quota(process: Path = Path("/proc/self"), groups: Path = Path("/sys/fs/cgroup")) -> float | None:
    """Return the CPU time a second that the control groups grant, in cores; None where they set no limit.

    The strictest group on the way up decides, in version 1 (`cpu.cfs_quota_us`) and version 2 (`cpu.max`).
    """
    limits = [limit for folder in _folders(process, groups) if (limit := _limit(folder)) is not None]
    return min(limits, default=None)


def thread_settings(threads: int, given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for a process that computes with `threads`, where the environment `given` has no number."""
    return {} if THREADS[0] in given else {name: str(threads) for name in THREADS if name not in given}


def shared_settings(
    cores: int, others: float | None, given: Mapping[str, str], processes: int = 1
) -> dict[str, str]:
    """Return the variables for each of `processes` on what is free while others keep `others` of the cores busy.

    The environment `given` stands.
    """
    free = free_threads(cores, others)
    settings = thread_settings(max(1, free // processes), given)
    if free < cores:
        settings |= {name: value for name, value in PASSIVE.items() if name not in given}
    return settings


def with_mkl_threads(env: Mapping[str, str]) -> dict[str, str]:
    """Return `env` with OpenMP's number of threads for MKL too, which obeys its own variable first, if it has none."""
    return {THREADS[1]: env[THREADS[0]], **env} if THREADS[0] in env else dict(env)


def free_threads(cores: int, others: float | None) -> int:
    """Return how many threads find a free core each while other processes keep `others` of the cores busy."""
    return cores if others is None else max(1, min(cores, math.floor(cores - others + SPARE)))


def _folders(process: Path, groups: Path) -> Iterator[Path]:
    """Yield the folders of the process's groups and of those above.

    In a container the path that the kernel names may not be there: then its own group is the mounted root.
    """
    for line in _text(process / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        mounts = (groups / controllers, groups / "cpu") if controllers else (groups, groups / "unified")
        for mount in mounts:
            folder = mount / path.lstrip("/")
            yield from (each for each in (folder, *folder.parents) if each.is_relative_to(mount))


def _limit(folder: Path) -> float | None:
    text = _text(folder / "cpu.max")
    if not text:
        text = " ".join(_text(folder / name).strip() for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us"))
    # Without a limit it is `max`, and -1 in version 1.
    numbers = [int(word) for word in text.split() if word.isdigit()]
    return numbers[0] / numbers[1] if len(numbers) == 2 and all(numbers) else None


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
