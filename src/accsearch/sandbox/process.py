"""Start a program in a sandbox, watch its limits, pause it and end it."""

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from accsearch.process_tree import descendants
from accsearch.sandbox.forbidden_calls import Attempts
from accsearch.sandbox.processes import end_all, send
from accsearch.sandbox.rules import Rules
from accsearch.sandbox.scratch import size_of
from accsearch.sandbox.start import BUILT, OUTER, command_line
from accsearch.sandbox.usage import deleted_files, memory_of

WATCH_INTERVAL = 0.05
SCRATCH_EVERY = 20
"""The scratch folder is measured once in this many looks; a paused program is looked at as seldom."""

OUTPUT_KEPT = 16 * 1024
CHUNK = 1 << 16
GRACE = 5.0


class SandboxProcess:
    """A context manager that starts `program` within `rules`, and leaves nothing of it alive.

    `handed` are descriptors that the program inherits. Its output is read to the end, of which 16 KiB are
    kept: a program that prints a gigabyte costs no memory.
    """

    def __init__(
        self,
        rules: Rules,
        program: Sequence[str],
        handed: Sequence[int] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rules = rules
        self.stopped_because: str | None = None
        """Why the sandbox itself ended the program; None if it did not."""
        self.output_bytes = 0
        self._tail = b""
        self._readiness = b""
        self._clock = clock
        self._paused_at: float | None = None
        self._program = list(program)
        self._handed = tuple(handed)
        self._ending = threading.Event()

    def __enter__(self) -> "SandboxProcess":
        self._deadline = self._clock() + self.rules.limits.wall_seconds
        reading, ready = os.pipe()
        os.set_blocking(reading, False)
        self._ready = open(reading, "rb", buffering=0)  # noqa: PTH123
        self._attempts = Attempts()
        with tempfile.TemporaryFile() as rules, open(ready, "wb"):  # noqa: PTH123
            rules.write(self.rules.to_json().encode())
            rules.flush()
            descriptors = (rules.fileno(), ready, self._attempts.theirs)
            self._process = subprocess.Popen(
                command_line(OUTER, descriptors, self._program),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={"PATH": os.defpath, **dict(self.rules.environment)},
                pass_fds=(*self._handed, *descriptors),
                start_new_session=True,
            )
        self._attempts.start()
        self._reader = threading.Thread(target=self._read_output, daemon=True)
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._reader.start()
        self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def deadline(self) -> float:
        """When the program is ended, on the clock; a paused program's deadline moves on with the time."""
        paused = 0.0 if self._paused_at is None else self._clock() - self._paused_at
        return self._deadline + paused

    @property
    def output(self) -> str:
        """The end of what the program printed so far."""
        return self._tail.decode(errors="replace")

    @property
    def attempts(self) -> list[str]:
        """The kinds of system call that the filter refused so far, as notes."""
        return list(self._attempts.seen)

    @property
    def not_built(self) -> bool:
        """Whether the program never ran because the sandbox could not be built."""
        return self._process.poll() is not None and not self._built()

    @property
    def exit_code(self) -> int | None:
        """How the program ended (128 + n for signal n); None while it runs."""
        return self._process.poll()

    def wait(self) -> int:
        """Wait until the program has ended, or was ended at its wall-clock limit; return its exit code."""
        code = self._process.wait()
        self.end()
        return code

    def wait_briefly(self) -> int:
        """Return the exit code of a program that closed its pipes; end it if it runs on."""
        try:
            return self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.end("protocol: it closed its pipes and ran on")
            return self._process.wait()

    def processes(self) -> list[int]:
        """Return the living processes of the sandbox, without the launcher."""
        return descendants(self._process.pid)

    def pause(self) -> None:
        """Stop every process of the program, so that it takes no time from what is measured elsewhere."""
        if self._paused_at is None:
            self._paused_at = self._clock()
        for _ in range(2):
            send(self.processes(), signal.SIGSTOP)

    def resume(self) -> None:
        """Let the program go on; its pause does not count towards its wall-clock limit."""
        self._deadline = self.deadline
        self._paused_at = None
        send(self.processes(), signal.SIGCONT)

    def end(self, because: str | None = None) -> None:
        """Kill the program with all that it started, and wait until it is gone."""
        if because is not None and self.stopped_because is None:
            self.stopped_because = because
        self._ending.set()
        if self._process.poll() is None:
            end_all(self.processes)
            self._process.kill()
        self._process.wait()
        for thread in (self._reader, self._watcher):
            if thread is not threading.current_thread():
                thread.join()
        if self._process.stdout is not None:
            self._process.stdout.close()
        if not self._ready.closed:
            self._built()
            self._ready.close()
            self._attempts.close()

    def _built(self) -> bool:
        if not self._ready.closed:
            self._readiness += self._ready.read() or b""
        return self._readiness == BUILT

    def _watch(self) -> None:
        looks = 0
        while not self._ending.wait(WATCH_INTERVAL):
            if self._process.poll() is not None:
                return
            seldom = looks % SCRATCH_EVERY == 0
            looks += 1
            if self._paused_at is not None and not seldom:
                # It is paused so that something else can be timed in this process, which a look would slow down: it
                # holds the interpreter for most of its milliseconds.
                continue
            reason = self._excess(measure_disk=seldom)
            if reason is not None:
                self.stopped_because = self.stopped_because or reason
                end_all(self.processes)
                self._process.kill()
                return

    def _excess(self, *, measure_disk: bool) -> str | None:
        limits = self.rules.limits
        if self._clock() > self.deadline:
            return f"timeout: it ran for over {limits.wall_seconds:g} s"
        processes = self.processes()
        if len(processes) > limits.processes:
            return f"processes: it started over {limits.processes}"
        if memory_of(processes, limits.resident) > limits.resident:
            return f"memory: it held over {limits.resident >> 20} MiB"
        if measure_disk and self._on_disk(processes) > limits.scratch_bytes:
            return f"disk: it wrote over {limits.scratch_bytes >> 20} MiB"
        return None

    def _on_disk(self, processes: Sequence[int]) -> int:
        return size_of(Path(self.rules.scratch), self.rules.limits.scratch_bytes) + deleted_files(processes)

    def _read_output(self) -> None:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        while data := os.read(descriptor, CHUNK):
            self.output_bytes += len(data)
            self._tail = (self._tail + data)[-OUTPUT_KEPT:]
