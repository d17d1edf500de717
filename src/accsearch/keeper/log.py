"""Write a worker's output to its log: small, readable, without secrets, bounded."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from accsearch.redact import redact

CAP = 64 << 20
"""Largest size of one log in bytes; a longer one keeps its first HEAD and its newest TAIL or more."""
HEAD = 16 << 20
TAIL = 8 << 20
LONGEST_LINE = 64 << 10
PROGRESS_INTERVAL = 10.0
"""Seconds between two states of one progress bar that are kept."""

Redact = Callable[[bytes], bytes]


def redactor(secrets: tuple[str, ...]) -> Redact:
    """Return a function that masks secrets in bytes of any encoding."""

    def mask(data: bytes) -> bytes:
        return redact(data.decode("utf-8", "surrogateescape"), secrets).encode("utf-8", "surrogateescape")

    return mask


class Log:
    """The log of one attempt; carriage returns are collapsed to the last state of a line.

    The `sentinel` is no such state: a bar on another stream may overwrite it before its own newline comes.
    """

    def __init__(
        self,
        path: Path,
        mask: Redact,
        *,
        sentinel: str = "",
        cap: int = CAP,
        head: int = HEAD,
        tail: int = TAIL,
    ) -> None:
        self.path = path
        self.error: OSError | None = None
        self._mask = mask
        self._sentinel = sentinel.encode("utf-8", "surrogateescape")
        self._overwritten = re.compile(
            b"(%s[ \t]*(?:\x1b\\[[0-9;]*[A-Za-z])*)\r(?=[^\r\n])" % re.escape(self._sentinel)
        )
        self._cap, self._head, self._tail = cap, head, tail
        self._partial = b""
        self._size = 0
        self._progress_at: float | None = None
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)

    def feed(self, data: bytes, now: float) -> None:
        """Take output as it comes; `now` is monotonic seconds."""
        data = self._partial + data
        if self._sentinel and b"\r" in data and self._sentinel in data:
            data = self._overwritten.sub(rb"\1\n", data)
        end = data.rfind(b"\n")
        if end < 0:
            self._partial = last_state(data)
        else:
            whole = data[:end]
            if b"\r" in whole:
                whole = b"\n".join([last_state(line).strip(b"\r") for line in whole.split(b"\n")])
            self._write(self._mask(whole + b"\n"))
            self._partial = last_state(data[end + 1 :])
        if len(self._partial) > LONGEST_LINE:
            self._write(self._mask(self._partial))
            self._partial = b""
        elif b"\r" in self._partial:
            if self._progress_at is None:
                self._progress_at = now
            elif now - self._progress_at >= PROGRESS_INTERVAL:
                self._write(self._mask(self._partial.strip(b"\r") + b"\n"))
                self._partial = b"\r"
                self._progress_at = now

    def close(self) -> None:
        """Write what is left of an unfinished line and close the file."""
        state = self._partial.strip(b"\r")
        if state:
            self._write(self._mask(state + b"\n"))
        self._partial = b""
        os.close(self._descriptor)

    def _write(self, data: bytes) -> None:
        if self.error is not None:
            return  # the disk is full: the worker's output is still drained, so that it can end
        try:
            self._size += len(data)
            view = memoryview(data)
            while view:
                view = view[os.write(self._descriptor, view) :]
            if self._size > self._cap:
                self._shorten()
        except OSError as error:
            self.error = error

    def _shorten(self) -> None:
        start = self._size - self._tail
        newest = os.pread(self._descriptor, self._tail, start)
        cut = newest.find(b"\n") + 1
        note = f"\n[{start + cut - self._head} bytes of output left out]\n".encode()
        os.ftruncate(self._descriptor, self._head)
        self._size = self._head + os.write(self._descriptor, note + newest[cut:])


def last_state(line: bytes) -> bytes:
    """Return what a terminal would still show of a line that carriage returns overwrote.

    One carriage return is kept in front (the line is a progress bar's) or at the end (a newline may follow).
    """
    body = line.rstrip(b"\r")
    start = body.rfind(b"\r")
    if start < 0:
        return line if len(line) == len(body) else body + b"\r"
    return b"\r" + body[start + 1 :] + (b"\r" if len(line) > len(body) else b"")
