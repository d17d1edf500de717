"""Progress bars: on a terminal, never in a log."""

import fcntl
import os
import pty
import struct
import sys
import termios
from pathlib import Path

import pytest
from tests.worker.runs import Run

from accsearch.task import WorkerExit
from accsearch.worker.terminal import progress_bar, say

METHODS = {"tome": {"ratio": [0.5]}}


def test_a_person_sees_trials_and_images(
    tmp_path: Path, tiny_paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path, tiny_paths, methods=METHODS)
    screen, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.set_blocking(screen, False)
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        assert run.work() == WorkerExit.OK
        seen = os.read(screen, 1 << 16).decode()
    os.close(screen)

    assert "0/2" in seen and "trial" in seen
    assert "/3" in seen and "image" in seen


def test_a_log_holds_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(2, "trial") as bar:
        say("one is done")
        bar.update(1)

    assert capsys.readouterr() == ("one is done\n", "")
