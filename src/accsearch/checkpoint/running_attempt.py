"""Find out what became of an attempt that was once started."""

from dataclasses import dataclass
from pathlib import Path

from accsearch.checkpoint.heartbeat import SILENCE
from accsearch.checkpoint.markers import (
    LOCAL,
    SUBMITTED,
    DamagedMarker,
    Exit,
    Running,
    read_exit,
    read_running,
)
from accsearch.checkpoint.ownership import runs_here
from accsearch.process_identity import host_name, is_alive
from accsearch.workdir import TaskPaths


@dataclass(frozen=True, slots=True)
class RunningAttempt:
    """The last attempt that `T.running` and `T.exit` speak of, and what is to be done about it."""

    why: str
    alive: bool = False
    """Whether it runs, or may run on another host."""
    running: Running | None = None
    exit: Exit | None = None
    """Set if it belongs to `running`."""
    orphan_pid: int | None = None
    damaged: tuple[Path, ...] = ()


def attempt_of(paths: TaskPaths, now: float) -> RunningAttempt | None:
    """Return the attempt that `T.running` speaks of, or None without one; `now` is the wall clock."""
    try:
        running = read_running(paths.running)
    except DamagedMarker as fault:
        return RunningAttempt(f"{paths.running.name} is damaged: {fault}", damaged=(paths.running,))
    if running is None:
        return None
    damaged: tuple[Path, ...] = ()
    try:
        ended = read_exit(paths.exit)
    except DamagedMarker:
        ended, damaged = None, (paths.exit,)
    if ended is not None and ended.nonce != running.nonce:
        ended = None
    alive, why, orphan = _fate(running, ended, paths, now)
    return RunningAttempt(why, alive, running, ended, orphan, damaged)


def _fate(running: Running, ended: Exit | None, paths: TaskPaths, now: float) -> tuple[bool, str, int | None]:
    """Return whether the attempt still runs, why, and the pid of a worker left without a keeper."""
    if ended is not None:
        return False, "ended while no scheduler watched; it is judged first", None
    if running.pid == SUBMITTED:
        return False, f"submitted to {running.executor}{_job(running)}, not started yet", None
    if not runs_here(running):
        return True, _elsewhere(running, now - _last_sign(paths)), None
    if is_alive(running.keeper_pid, running.keeper_create_time, running.keeper_identity):
        return True, f"runs (pid {running.pid}, attempt {running.attempt})", None
    if is_alive(running.pid, running.create_time, running.identity):
        return (
            False,
            f"its keeper died; the worker left behind (pid {running.pid}) is ended first",
            running.pid,
        )
    return False, "its keeper and worker died without a trace", None


def _elsewhere(running: Running, quiet: float) -> str:
    """Say where an attempt runs; whether it does, only a run that watches it can tell, since clocks differ."""
    where = f"runs on host {running.host} (pid {running.pid}{_job(running, ', ')})"
    if running.host == host_name():
        where = f"runs in another boot or container of this host (pid {running.pid})"
    if quiet < SILENCE:
        return where
    if running.executor != LOCAL:
        return f"{where}; nothing heard of it for {quiet / 60:.0f} minutes: `accsearch run` takes it up again"
    return (
        f"{where}; no sign of life from host {running.host} for {quiet / 60:.0f} minutes: a run takes it over "
        f"after {SILENCE:.0f} s of silence, `accsearch stop --host {running.host}` frees it"
    )


def _job(running: Running, before: str = " as ") -> str:
    return f"{before}job {running.job_id}" if running.job_id is not None else ""


def _last_sign(paths: TaskPaths) -> float:
    """Return when the attempt last wrote to a file, in seconds since the epoch."""
    signs = [0.0]
    for path in (paths.running, paths.log, paths.results):
        try:
            signs.append(path.stat().st_mtime)
        except FileNotFoundError:
            continue
    return max(signs)
