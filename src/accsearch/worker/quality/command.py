"""A scorer that is a program of the user's, in an environment of its own."""

import json
import math
import os
import selectors
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from accsearch.worker.images import Images

LONGEST_SHOWN = 200
PIPE = 4096
"""Bytes that a writable pipe surely takes at once (POSIX)."""


class ScorerFailed(RuntimeError):
    """The program gave no score, so that the trial has none; the next trial starts it again if it has ended."""


class CommandScorer:
    """Asks a program that is started once and kept: `quality.command`.

    For each image it gets a line {"image": path, "prompt": text} and answers, in the same order, with a line
    {"score": number}, higher is better. What it writes to stderr is in the task's log. `timeout` is in seconds, for
    the images of one call.
    """

    def __init__(self, command: Sequence[str], timeout: float) -> None:
        self._command = list(command)
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None

    def texts(self, prompts: Sequence[str]) -> tuple[str, ...]:
        """Return the prompts."""
        return tuple(prompts)

    def scores(self, images: Images, texts: Sequence[str]) -> list[float]:
        """Return the score of each image against the text of the same number; raises ScorerFailed."""
        from PIL import Image

        with tempfile.TemporaryDirectory(prefix="accsearch-") as folder:
            lines = []
            for number, pixels in enumerate(images.pixels.permute(0, 2, 3, 1).numpy()):
                file = Path(folder) / f"{number}.png"
                Image.fromarray(pixels).save(file, compress_level=1)
                lines.append(json.dumps({"image": str(file), "prompt": texts[number]}))
            try:
                answers = self._ask("".join(f"{line}\n" for line in lines).encode(), len(lines))
                return [_score(answer) for answer in answers]
            except (ScorerFailed, OSError) as error:
                # What it says next may answer what was asked before.
                self.close()
                if isinstance(error, ScorerFailed):
                    raise
                raise ScorerFailed(f"quality.command cannot be asked: {error}") from error

    def close(self) -> None:
        """End the program, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _ask(self, question: bytes, answers: int) -> list[bytes]:
        """Write `question` while reading lines, since a program may answer before it has read all."""
        process = self._running()
        assert process.stdin is not None and process.stdout is not None
        deadline = time.monotonic() + self._timeout
        said = b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdin, selectors.EVENT_WRITE)
            selector.register(process.stdout, selectors.EVENT_READ)
            while said.count(b"\n") < answers:
                ready = selector.select(deadline - time.monotonic())
                if not ready:
                    raise ScorerFailed(f"quality.command gave no score within {self._timeout:g} s")
                for key, _ in ready:
                    if key.fileobj is process.stdin:
                        question = question[os.write(key.fd, question[:PIPE]) :]
                        if not question:
                            selector.unregister(process.stdin)
                    elif new := os.read(key.fd, 1 << 16):
                        said += new
                    else:
                        raise ScorerFailed(
                            f"quality.command ended with exit code {process.wait()}{_last(said)}"
                        )
        return said.splitlines()

    def _running(self) -> Any:
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
            )
        return self._process


def _score(line: bytes) -> float:
    try:
        answer = json.loads(line)
        score = answer["score"]
    except (ValueError, KeyError, TypeError):
        score = None
    if isinstance(score, bool) or not isinstance(score, int | float) or not math.isfinite(score):
        raise ScorerFailed(f'quality.command answered {_shown(line)}, not {{"score": number}}')
    return float(score)


def _last(said: bytes) -> str:
    lines = said.splitlines()
    return f", its last line {_shown(lines[-1])}" if lines else ""


def _shown(line: bytes) -> str:
    return repr(line.decode(errors="replace")[:LONGEST_SHOWN])
