"""Start accsearch as a program, and look at what it leaves."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

ACCSEARCH = [sys.executable, "-m", "accsearch"]
LONG = 60.0
"""Seconds after which something that should have happened never will."""


class Program:
    """An accsearch that runs, with its stderr readable line by line."""

    def __init__(
        self, arguments: Sequence[str], env: Mapping[str, str], cwd: Path, line: Sequence[str] = ACCSEARCH
    ) -> None:
        self.process = subprocess.Popen(
            [*line, *arguments], env=dict(env), cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.lines: list[str] = []
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    @property
    def pid(self) -> int:
        return self.process.pid

    def await_line(self, part: str) -> str:
        """Return the first line of stderr from now on that holds `part`."""
        stream = self.process.stderr
        assert stream is not None
        while True:
            assert select.select([stream], [], [], LONG)[0], f"no {part!r} in {self.lines}"
            data = os.read(stream.fileno(), 65536)
            *lines, self._rest = (self._rest + data).split(b"\n")
            self.lines += [line.decode() for line in lines]
            for line in lines:
                if part in line.decode():
                    return line.decode()
            assert data, f"ended without {part!r}: {self.lines}"

    def end(self, patience: float = LONG) -> int:
        """Wait `patience` seconds for the end; return the exit code. `text` then has all of stderr."""
        rest = self.process.communicate(timeout=patience)[1]
        self.lines += (self._rest + rest).decode().splitlines()
        return self.process.returncode

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


class Work:
    """A work directory `work` and a configuration `c` in a folder of a test's own."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.folder = folder
        self.root = folder / "work"
        self.env = dict(env)

    def configure(self, command: Sequence[str], axes: Mapping[str, Sequence[str]], **sections: Any) -> None:
        """Write c.yaml, a command worker over `axes`; `worker=` adds to its section."""
        worker = {"kind": "command", "command": list(command), "success_sentinel": "finished {task}"}
        config = {
            "grid": {name: list(values) for name, values in axes.items()},
            "retry": {"backoff": "0s"},
            **sections,
            "worker": worker | sections.get("worker", {}),
        }
        (self.folder / "c.yaml").write_text(json.dumps(config))

    def shell(self, script: str, tasks: Sequence[str], **sections: Any) -> None:
        """Configure tasks that run a shell script, in which `$T` is the task; the sentinel is added."""
        program = self.folder / "worker.sh"
        program.write_text(f"T=$1\nset -e\n{script}\necho finished $T\n")
        self.configure(["sh", str(program), "{n}"], {"n": tasks}, **sections)

    def start(self, *arguments: str, **env: str) -> Program:
        """Start accsearch without waiting for it."""
        return Program([*arguments, "--workdir", str(self.root)], self.env | env, self.folder)

    def start_run(self, *options: str, **env: str) -> Program:
        return self.start("run", "c.yaml", *options, **env)

    def run(self, *options: str, **env: str) -> Program:
        """Run c.yaml to the end; `process.returncode` and `text` say how it went."""
        with self.start_run(*options, **env) as program:
            program.end()
        return program

    def states(self) -> dict[str, str]:
        """Return the state of each task, as `status --json` gives it."""
        return {task["id"]: task["state"] for task in self.status()["tasks"]}

    def status(self) -> Any:
        return self.json("status", "--json")

    def json(self, *arguments: str) -> Any:
        ended = subprocess.run(
            [*ACCSEARCH, *arguments, "--workdir", str(self.root)],
            env=self.env,
            cwd=self.folder,
            capture_output=True,
            check=True,
        )
        return json.loads(ended.stdout)

    def marker(self, name: str) -> dict[str, Any]:
        """Return the content of `checkpoints/c/NAME`."""
        value: dict[str, Any] = json.loads((self.root / "checkpoints" / "c" / name).read_text())
        return value

    def markers(self, suffix: str) -> list[str]:
        """Return the tasks that have a marker of this kind."""
        return sorted(path.stem for path in (self.root / "checkpoints" / "c").glob(f"*.{suffix}"))

    def log(self, name: str) -> str:
        return (self.root / "logs" / "c" / f"{name}.log").read_text()


class Gate:
    """A place in a worker's script where it waits until the test lets it go on."""

    def __init__(self, folder: Path, name: str) -> None:
        self._arrivals = folder / f"{name}.arrivals"
        self._leave = folder / f"{name}.leave"
        os.mkfifo(self._arrivals)
        os.mkfifo(self._leave)
        # Open both ways, so that neither side waits for the other to open.
        self._reading = os.open(self._arrivals, os.O_RDWR | os.O_CLOEXEC)
        self._writing = os.open(self._leave, os.O_RDWR | os.O_CLOEXEC)

    def script(self) -> str:
        """Return the shell commands that announce `$T` and the shell's pid, and wait."""
        return f"echo $T $$ > {self._arrivals}; read go < {self._leave}"

    def arrivals(self, number: int) -> dict[str, int]:
        """Wait for as many workers; return task → pid."""
        text = b""
        while text.count(b"\n") < number:
            assert select.select([self._reading], [], [], LONG)[0], f"only {text!r} arrived"
            text += os.read(self._reading, 4096)
        return {line.split()[0]: int(line.split()[1]) for line in text.decode().splitlines()}

    def open(self, number: int = 1) -> None:
        """Let as many workers go on."""
        os.write(self._writing, b"go\n" * number)

    def close(self) -> None:
        os.close(self._reading)
        os.close(self._writing)


def await_end(pid: int) -> None:
    """Wait until a process that is not our child has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([descriptor], [], [], LONG)[0], f"pid {pid} does not end"
    finally:
        os.close(descriptor)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def processes_of(root: Path) -> list[int]:
    """Return the keepers and workers that belong to a work directory, by their environment and files."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                environ = (entry / "environ").read_bytes()
            except OSError:
                continue
            if f"FAULT_TEST={root}".encode() in environ and is_alive(int(entry.name)):
                found.append(int(entry.name))
    return sorted(found)
