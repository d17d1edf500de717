"""Tell one process from a later one of the same pid; imports nothing, so that the keeper may use it."""

import os
import time


def process_create_time(pid: int) -> float | None:
    """Return when `pid` was started, in seconds since the epoch (as psutil gives it), or None if it is dead.

    A zombie counts as dead. The value moves with the wall clock; `process_identity` does not.
    """
    ticks = _start_ticks(pid)
    return None if ticks is None else ticks / os.sysconf("SC_CLK_TCK") + _boot_time()


def process_identity(pid: int) -> str | None:
    """Return a text that no other process has, in this boot or another, or None if `pid` is dead."""
    ticks = _start_ticks(pid)
    return None if ticks is None else f"{boot_id()}:{ticks}"


def process_age(pid: int) -> float | None:
    """Return for how many seconds `pid` has been there, to a hundredth, or None if it is dead."""
    ticks = _start_ticks(pid)
    return (
        None if ticks is None else time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    )


def is_alive(pid: int | None, create_time: float | None, identity: str | None = None) -> bool:
    """Return whether `pid` is still the process that was recorded.

    With an `identity` a stepped clock does no harm; without one, creation times up to 2 s apart are equal,
    which is what the boot time's rounding and a slewed clock need.
    """
    if pid is None or pid <= 0:
        return False
    if identity is not None:
        return process_identity(pid) == identity
    now = process_create_time(pid)
    return now is not None and create_time is not None and abs(now - create_time) < 2.0


def is_this_machine(host: str, identity: str | None, namespace: str | None) -> bool:
    """Return whether the pid of a process that was recorded so means something here.

    The same name is not enough: a container that was started anew has the host name of the one before, a
    machine that was booted anew its own, and many machines are called alike. The same kernel is not enough either:
    the pids of a container are its own. What a record does not say is taken as equal.
    """
    return (
        host == host_name()
        and (identity is None or identity.split(":")[0] == boot_id())
        and namespace in (None, pid_namespace())
    )


def host_name() -> str:
    """Return the name of this host, as the markers hold it."""
    return os.uname().nodename


def pid_namespace() -> str:
    """Return the kernel's number of the namespace in which this process' pids are valid."""
    return os.readlink("/proc/self/ns/pid").strip("pid:[]")  # noqa: PTH115 - pathlib is a slow import for a keeper


def boot_id() -> str:
    """Return the kernel's name for the present boot."""
    return _read("/proc/sys/kernel/random/boot_id").decode().strip()


def _start_ticks(pid: int) -> int | None:
    try:
        data = _read(f"/proc/{pid}/stat")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in brackets, which may hold spaces and brackets itself.
    fields = data[data.rindex(b")") + 2 :].split()
    return None if fields[0] in b"ZXx" else int(fields[19])


def _boot_time() -> float:
    for line in _read("/proc/stat").splitlines():
        if line.startswith(b"btime"):
            return float(line.split()[1])
    raise OSError("/proc/stat holds no boot time")


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - pathlib is a slow import for a keeper
        return file.read()
