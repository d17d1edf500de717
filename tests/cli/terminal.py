"""Start accsearch as a user does: on a terminal of its own."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
from typing import Self

from tests.faults.program import ACCSEARCH, LONG, Work

ROWS, COLUMNS = 40, 160
INTERRUPT = b"\x03"
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;\d+)*m")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A program on a terminal that controls it, so that keys such as Ctrl-C reach it as signals."""

    def __init__(self, work: Work, *arguments: str, **env: str) -> None:
        self._screen, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.raw = ""
        self._seen = 0
        inherited = {
            name: value for name, value in work.env.items() if name not in ("NO_COLOR", "FORCE_COLOR")
        }
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *ACCSEARCH, *arguments, "--workdir", str(work.root)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=inherited | {"TERM": "xterm-256color"} | env,
            cwd=work.folder,
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._screen)

    @property
    def text(self) -> str:
        """Everything drawn so far, without colours and cursor movements."""
        return CONTROL.sub("", self.raw)

    def press(self, keys: bytes) -> None:
        os.write(self._screen, keys)

    def await_text(self, part: str) -> None:
        """Wait until `part` is drawn after what earlier calls waited for."""
        while (place := self.text.find(part, self._seen)) < 0:
            assert self._read(), f"ended without {part!r}: {self.text}"
        self._seen = place + len(part)

    def end(self) -> int:
        """Wait for the program's end; return its exit code."""
        while self._read():
            pass
        return self.process.wait(LONG)

    def _read(self) -> bool:
        assert select.select([self._screen], [], [], LONG)[0], f"nothing more is drawn: {self.text}"
        try:
            data = os.read(self._screen, 65536)
        except OSError:  # the last process on the terminal has ended
            return False
        self.raw += data.decode(errors="replace")
        return bool(data)
