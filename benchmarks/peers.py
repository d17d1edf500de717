"""How each scheduler of the benchmark runs a load: one function a scheduler, all with equal work.

Each task of each scheduler writes its own log; each scheduler keeps its usual record of what finished.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from loads import Load

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Setting:
    """One run: its folder, its slots, and the task program with its table of times."""

    folder: Path
    slots: int
    task: Path
    table: Path

    @property
    def times(self) -> Path:
        return self.folder / "times"

    def command(self, task_id: str) -> list[str]:
        return [str(self.task), task_id, str(self.table), str(self.times)]

    def shell_line(self, task_id: str) -> str:
        return f"{shlex.join(self.command(task_id))} > {self.folder}/{task_id}.log 2>&1"


def _call(command: Sequence[str], setting: Setting, text: str = "", **environment: str) -> None:
    subprocess.run(
        command,
        input=text.encode(),
        cwd=setting.folder,
        env=os.environ | environment,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=600,
    )


def accsearch(load: Load, setting: Setting, *extra: str) -> None:
    """Durable markers on, a keeper per slot, as users run it."""
    placeholder = "_".join(f"{{{axis}}}" for axis in load.axes)
    config = {
        "name": "loaded",
        "grid": load.axes,
        "worker": {"kind": "command", "command": setting.command(placeholder)},
    }
    path = setting.folder / "loaded.yaml"
    path.write_text(json.dumps(config))
    slots = ["--gpus", "none", "--slots", str(setting.slots)]
    _call([sys.executable, "-m", "accsearch", "run", str(path), *slots, *extra], setting)


def accsearch_known(load: Load, setting: Setting) -> None:
    """The same tasks again after an earlier run (a changed environment makes them run): times are known."""
    accsearch(load, setting)
    setting.times.unlink()
    accsearch(load, setting, "-o", "worker.env.AGAIN=1")


def parallel(load: Load, setting: Setting) -> None:
    line = setting.shell_line("{}")
    _call(
        ["parallel", "--will-cite", "--joblog", "joblog", "-j", str(setting.slots), line],
        setting,
        _lines(load.ids),
    )


def simple_gpu_scheduler(load: Load, setting: Setting) -> None:
    gpus = [str(slot) for slot in range(setting.slots)]
    _call(
        [_peer("simple_gpu_scheduler"), "--gpus", *gpus], setting, _lines(map(setting.shell_line, load.ids))
    )


def gpusched(load: Load, setting: Setting) -> None:
    (setting.folder / "jobs").write_text(_lines(map(setting.shell_line, load.ids)))
    options = ["--sim", str(setting.slots), "--exclusive", "--poll", "0.1"]
    _call([_peer("gpusched"), *options, "jobs"], setting)


def task_spooler(load: Load, setting: Setting) -> None:
    script = [f"touch {setting.times}", f"tsp -S {setting.slots}"]
    script += [f"tsp -n sh -c {shlex.quote(setting.shell_line(task_id))} > ids" for task_id in load.ids]
    script += [f"while [ $(wc -l < {setting.times}) -lt {len(load.ids)} ]; do sleep 0.01; done", "tsp -K"]
    (setting.folder / "script").write_text(_lines(script))
    # With TS_MAXFINISHED=1 the server (1.0.1) died on the load of 1000 tasks.
    _call(["sh", "script"], setting, TS_SOCKET=str(setting.folder / "socket"))


def seed_script(load: Load, setting: Setting) -> None:
    arguments = [
        str(setting.slots),
        str(setting.task),
        str(setting.table),
        str(setting.times),
        str(setting.folder),
    ]
    _call([str(HERE / "seed.sh"), *arguments], setting, _lines(load.ids))


def bare_loop(load: Load, setting: Setting) -> None:
    """A loop on pidfds that pins, logs and touches a marker: the floor, with nothing durable or checked."""
    import select

    poll = select.poll()
    running: dict[int, tuple[subprocess.Popen[bytes], str, int]] = {}
    waiting, free = list(reversed(load.ids)), list(range(setting.slots))
    while waiting or running:
        while waiting and free:
            task_id, slot = waiting.pop(), free.pop()
            with (setting.folder / f"{task_id}.log").open("wb") as log:
                pinned = os.environ | {"CUDA_VISIBLE_DEVICES": str(slot)}
                child = subprocess.Popen(setting.command(task_id), stdout=log, stderr=log, env=pinned)
            descriptor = os.pidfd_open(child.pid)
            poll.register(descriptor, select.POLLIN)
            running[descriptor] = (child, task_id, slot)
        for descriptor, _ in poll.poll():
            child, task_id, slot = running.pop(descriptor)
            poll.unregister(descriptor)
            os.close(descriptor)
            if child.wait() == 0:
                (setting.folder / f"{task_id}.done").touch()
            free.append(slot)


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _peer(name: str) -> str:
    """Find a peer's program on the PATH or in the folder that PEERS names."""
    found = shutil.which(name, path=f"{os.environ.get('PEERS', '')}:{os.environ['PATH']}")
    if found is None:
        raise FileNotFoundError(name)
    return found


Runner = Callable[[Load, Setting], None]
NEEDS = {"parallel": "parallel", "simple_gpu_scheduler": "simple_gpu_scheduler", "gpusched": "gpusched"}
RUNNERS: dict[str, Runner] = {
    "bare pidfd loop": bare_loop,
    "accsearch": accsearch,
    "accsearch, times known": accsearch_known,
    "GNU parallel --joblog": parallel,
    "simple_gpu_scheduler": simple_gpu_scheduler,
    "task-spooler": task_spooler,
    "gpusched, 0.1 s poll": gpusched,
    "the original script": seed_script,
}
