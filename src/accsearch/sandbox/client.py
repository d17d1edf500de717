"""The parent's handle of a sandboxed generated file: sends requests, receives answers and takes the times."""

import json
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accsearch.errors import UsageError
from accsearch.gpus.pinning import VISIBLE, visible_gpus
from accsearch.sandbox import wire
from accsearch.sandbox.gpu_files import device_files
from accsearch.sandbox.printable import printable
from accsearch.sandbox.process import SandboxProcess
from accsearch.sandbox.roots import devices, environment, readable
from accsearch.sandbox.rules import Level, Limits, Rules
from accsearch.sandbox.scratch import link_models, scratch_folder
from accsearch.sandbox.wire import Frame

NOTES_KEPT = 20
NOTE_LENGTH = 300
PROGRAM_NAME = "generated.py"
ENDED = {"timeout": "timeout", "memory": "failed"}
"""The verdict on a program that the sandbox ended, by the reason's first word; it is unsafe for any other."""


class Refused(Exception):
    """The generated file cannot be judged; `verdict` is one of failed, unsafe, timeout, invalid."""

    def __init__(self, verdict: str, message: str) -> None:
        super().__init__(message)
        self.verdict = verdict


@dataclass(frozen=True, slots=True)
class ReadableModels:
    """The models that a sandboxed program may read: those that it finds by hub id, and local folders."""

    by_id: Mapping[str, Path]
    folders: tuple[Path, ...] = ()


class SandboxClient:
    """Sends requests to a generated file that runs in a sandbox."""

    def __init__(self, sandbox: SandboxProcess, requests: int, answers: int, notes: int) -> None:
        self._sandbox = sandbox
        self._requests, self._answers, self._notes = requests, answers, notes
        self._pending = b""
        self.notes: list[str] = []

    def ask(self, kind: str, *, timeout: float, max_body: int = 0, **content: Any) -> tuple[Frame, float]:
        """Send a request; return the answer and the seconds from the request to the answer's last byte.

        `timeout` is in seconds; `max_body` bounds the answer's body in bytes. Raises Refused if the program speaks
        unasked, answers wrongly, too late or not at all, UsageError if the sandbox cannot be built.
        """
        if self.speaks():
            self._closed_or("it sent something before it was asked")
        nonce = secrets.token_hex(16)
        deadline = min(time.monotonic() + timeout, self._sandbox.deadline)
        began = time.perf_counter()
        try:
            wire.send(self._requests, {"kind": kind, "nonce": nonce, **content})
            frame = wire.receive(self._answers, deadline=deadline, max_body=max_body)
        except wire.Broken as error:
            raise Refused("unsafe", f"a forged answer: {printable(error)}") from None
        except wire.TooLate:
            self._sandbox.end(f"timeout: no answer to `{kind}` in time")
            raise self._ended() from None
        except wire.ProgramGone:
            raise self._ended() from None
        seconds = time.perf_counter() - began
        if frame.header.get("nonce") != nonce:
            raise Refused("unsafe", "a forged answer: it does not carry the request's nonce")
        error_text = frame.header.get("error")
        if error_text is not None:
            raise Refused(_verdict(frame.header.get("verdict")), printable(error_text))
        return Frame(_printable(frame.header), frame.body), seconds

    def read_notes(self) -> list[str]:
        """Return what the program tried and was refused: network, files, signals."""
        while len(self.notes) < NOTES_KEPT and wire.waiting(self._notes):
            data = os.read(self._notes, wire.MAX_HEADER)
            if not data:
                break
            *lines, self._pending = (self._pending + data)[-wire.MAX_HEADER :].split(b"\n")
            for line in lines:
                text = printable(line.decode(errors="replace")[:NOTE_LENGTH])
                if text and text not in self.notes:
                    self.notes.append(text)
        return [*self._sandbox.attempts, *self.notes][:NOTES_KEPT]

    @property
    def output(self) -> str:
        """The end of what the program printed."""
        return self._sandbox.output

    @property
    def output_bytes(self) -> int:
        """How much the program printed."""
        return self._sandbox.output_bytes

    def speaks(self, within: float = 0.0) -> bool:
        """Say whether the program has sent something unasked, or does so `within` this many seconds."""
        return wire.waiting(self._answers, within)

    def processes(self) -> list[int]:
        """Return the living processes of the sandbox."""
        return self._sandbox.processes()

    def pause(self) -> None:
        """Stop the program until `resume`, so that it takes no processor time."""
        self._sandbox.pause()

    def resume(self) -> None:
        """Let the program go on."""
        self._sandbox.resume()

    def _closed_or(self, message: str) -> None:
        # A closed pipe is readable too.
        if self._sandbox.exit_code is not None or not os.read(self._answers, 1):
            raise self._ended()
        raise Refused("unsafe", f"a forged answer: {message}")

    def _ended(self) -> Refused:
        code = self._sandbox.wait_briefly()
        because = self._sandbox.stopped_because
        lines = [printable(line.strip()) for line in self._sandbox.output.splitlines() if line.strip()]
        last = f": {lines[-1]}" if lines else ""
        if because is not None:
            return Refused(ENDED.get(because.split(":")[0], "unsafe"), because.removeprefix("timeout: "))
        if self._sandbox.not_built:
            raise UsageError(lines[-1] if lines else "the sandbox cannot be built")
        if code == 128 + signal.SIGSYS:
            # Where refused calls cannot be noted, one by another interface of the processor ends the program.
            return Refused("unsafe", "it made a system call that the sandbox does not know")
        if code == 0:
            return Refused("failed", "it ended with exit code 0 without an answer" + last)
        how = f"signal {code - 128}" if code > 128 else f"exit code {code}"
        return Refused("failed", f"it ended with {how}{last}")


def _verdict(value: Any) -> str:
    # A sandboxed program may call itself failed or invalid, never anything better.
    return "invalid" if value == "invalid" else "failed"


def _printable(header: Mapping[str, Any]) -> dict[str, Any]:
    return {name: printable(value) if isinstance(value, str) else value for name, value in header.items()}


@contextmanager
def open_client(
    source: bytes,
    level: Level,
    limits: Limits,
    models: ReadableModels,
    *,
    hidden: Iterable[Path] = (),
    gpus: str | None = None,
    threads: Mapping[str, str] | None = None,
) -> Iterator[SandboxClient]:
    """Yield the client of a sandbox that holds a copy of a generated file, but not the file's own folder.

    The file runs at the request `load`, not before. `gpus` names the GPUs that it may use as CUDA_VISIBLE_DEVICES
    does, which is the default; "" is none. `threads` are environment variables that set its number of threads.
    Raises UsageError if one of `hidden`, such as the reference, would be within reach.
    """
    with scratch_folder() as scratch:
        program = scratch / PROGRAM_NAME
        program.write_bytes(source)
        link_models(scratch, models.by_id)
        extra = {"HF_HUB_CACHE": str(scratch / "hub"), **(threads or {})}
        visible = visible_gpus() if gpus is None else gpus
        if visible is not None:
            extra[VISIBLE] = visible
        rules = Rules(
            level=level,
            scratch=str(scratch),
            readable=readable([*models.by_id.values(), *models.folders]),
            devices=(*devices(), *device_files(visible)),
            environment=environment(scratch, extra),
            limits=limits,
        )
        for path in hidden:
            _check_hidden(rules, path)
        with _pipes() as (ours, theirs), _settings_file(program, rules, theirs) as settings:
            command = [sys.executable, "-I", "-B", "-m", "accsearch.sandbox.program", str(settings)]
            with SandboxProcess(rules, command, [*theirs, settings]) as sandbox:
                for descriptor in theirs:
                    os.close(descriptor)
                theirs.clear()
                yield SandboxClient(sandbox, *ours)


def _check_hidden(rules: Rules, path: Path) -> None:
    if not rules.hides(path):
        raise UsageError(
            f"{path}: the generated program could read it there: move it out of {rules.root_of(path)}"
        )


@contextmanager
def _settings_file(program: Path, rules: Rules, pipes: Sequence[int]) -> Iterator[int]:
    """Yield the descriptor of a JSON file for the program's side of the sandbox.

    It holds the program's path, the descriptors of its pipes, and the paths that it may use, by which refused attempts
    are noted.
    """
    visible = {"scratch": rules.scratch, "readable": rules.readable, "devices": rules.devices}
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps({"pipes": list(pipes), "file": str(program), "rules": visible}).encode())
        file.seek(0)
        yield file.fileno()


@contextmanager
def _pipes() -> Iterator[tuple[tuple[int, int, int], list[int]]]:
    """Yield our ends (requests, answers, notes) and those of the program, which are closed unless cleared."""
    requests, answers, notes = os.pipe(), os.pipe(), os.pipe()
    theirs = [requests[0], answers[1], notes[1]]
    ours = (requests[1], answers[0], notes[0])
    try:
        yield ours, theirs
    finally:
        for descriptor in (*ours, *theirs):
            os.close(descriptor)
