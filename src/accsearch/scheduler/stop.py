"""Ask a running scheduler to end, from another process."""

import os
import signal

from accsearch.checkpoint import heartbeat
from accsearch.checkpoint.ownership import AtWork, other_hosts, read_holder
from accsearch.errors import UsageError
from accsearch.process_identity import host_name
from accsearch.scheduler.lock import Waiter
from accsearch.workdir import WorkDir, remove

DRAIN = signal.SIGUSR1
STOP = signal.SIGUSR2


def stop(workdir: WorkDir, *, now: bool = False) -> int:
    """Let the scheduler of `workdir` start no more tasks; with `now` also end the running ones.

    Returns its pid. Raises UsageError where none runs, or one on another host.
    """
    holder = read_holder(workdir)
    if holder is not None and not holder.is_here:
        raise UsageError(
            f"{workdir.root}: the run at work here is {holder}: stop it there, or, if that host is gone, free what it "
            f"had by `accsearch stop --host {holder.host}`"
        )
    if holder is None or not holder.is_alive():
        raise UsageError(f"{workdir.root}: no run is at work here")
    try:
        os.kill(holder.pid, STOP if now else DRAIN)
    except PermissionError as error:
        raise UsageError(
            f"{workdir.root}: the run at work here (pid {holder.pid}) is another user's"
        ) from error
    return holder.pid


def free_host(workdir: WorkDir, host: str, waiter: Waiter, *, now: bool = False) -> list[str]:
    """Remove the lock and the markers of attempts of a host that is gone; return what was freed, a line each.

    It is first watched for a little more than the time between two signs of life, unless `now`. A run and keepers that
    live all the same find their markers gone within seconds, and end what they do. Raises UsageError where
    nothing is recorded of such a host, or where it gives a sign of life.
    """
    hosts = other_hosts(workdir)
    if host not in hosts:
        known = f"; recorded are {', '.join(sorted(hosts))}" if hosts else ""
        here = ", which is this one: `accsearch stop`" if host == host_name() else ""
        raise UsageError(f"{workdir.root}: nothing is at work on another host {host}{here}{known}")
    found = hosts[host]
    if not now:
        _watch(workdir, host, found, waiter)
    freed = []
    if found.holder is not None:
        remove(workdir.lock)
        freed.append(f"the run ({found.holder})")
    for name, marker in found.tasks.items():
        remove(marker)
        freed.append(name)
    return freed


def _watch(workdir: WorkDir, host: str, found: AtWork, waiter: Waiter) -> None:
    """Raise UsageError if the host gives a sign of life."""
    markers = [*found.tasks.values(), *([workdir.lock] if found.holder is not None else [])]
    waiter.say(f"watching whether host {host} gives a sign of life")
    until = waiter.clock() + heartbeat.BEAT + heartbeat.LOOK
    while (now := waiter.clock()) < until:
        for marker in markers:
            waiter.watch.look(marker, now)
            if waiter.watch.is_alive(marker):
                raise UsageError(
                    f"{workdir.root}: host {host} lives: it gave a sign of life just now; stop it there "
                    f"(`--host {host} --now` frees what it has all the same, and its workers are ended)"
                )
        waiter.sleep(heartbeat.LOOK / 4)
