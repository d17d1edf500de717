"""What the kernel and its limits allow: processes, shared memory, the sandbox for generated code."""

import ctypes
import os
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

from accsearch.cores import usable_cores
from accsearch.doctor.finding import Finding, Severity

FEW_FILES = 1024
LITTLE_SHARED_MEMORY = 1 << 30
_LANDLOCK_CREATE_RULESET = 444
_LANDLOCK_VERSION = 1


def check_system() -> Iterator[Finding]:
    """Look at cores, limits, process descriptors, shared memory and the sandbox levels."""
    cores = usable_cores()
    yield Finding("cores", Severity.OK, f"{cores} usable; CPU slots share those that are free as threads")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = 0 <= soft < FEW_FILES
    yield Finding(
        "open files",
        Severity.WARNING if few else Severity.OK,
        f"limit {soft} (at most {hard})" + ("; raise it by `ulimit -n 4096`" if few else ""),
    )
    if has_pidfd():
        yield Finding("processes", Severity.OK, "pidfd works")
    else:
        yield Finding("processes", Severity.WARNING, "no pidfd: tasks cannot be run before Linux 5.3")
    yield _shared_memory()
    yield _isolation()


def has_pidfd() -> bool:
    """Return whether this kernel gives descriptors of processes, by which exits are waited for."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (OSError, AttributeError):
        return False
    return True


def landlock_version() -> int:
    """Return the version of the kernel's Landlock, 0 where it is absent or off."""
    libc = ctypes.CDLL(None, use_errno=True)
    return max(0, int(libc.syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), _LANDLOCK_VERSION)))


def _shared_memory() -> Finding:
    folder = Path("/dev/shm")
    if not os.access(folder, os.W_OK):
        return Finding(
            "shared memory", Severity.WARNING, "/dev/shm is not writable: data loaders with workers fail"
        )
    free = shutil.disk_usage(folder).free
    little = free < LITTLE_SHARED_MEMORY
    advice = "; in a container raise --shm-size" if little else ""
    return Finding(
        "shared memory",
        Severity.NOTE if little else Severity.OK,
        f"{free / (1 << 30):.1f} GiB free in /dev/shm{advice}",
    )


def _isolation() -> Finding:
    means = []
    if version := landlock_version():
        means.append(f"Landlock {version}")
    if bwrap := shutil.which("bwrap"):
        means.append(bwrap)
    if means:
        return Finding("sandbox", Severity.OK, ", ".join(means))
    return Finding(
        "sandbox",
        Severity.WARNING,
        "neither Landlock nor bwrap: `evaluate` can fence generated code in less",
    )
