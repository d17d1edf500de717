"""What is said of a program that could not be started, by trying to start it."""

import os
from pathlib import Path

import pytest

from accsearch.keeper.child import spawn, why_not_started

pytestmark = pytest.mark.process

BARE, SCRIPT, LOST = b"echo hello\n", b"#!/bin/sh\necho hello\n", b"#!/nowhere/python\n"


def refused(folder: Path, program: str) -> str:
    before = Path.cwd()
    with Path(os.devnull).open("w") as output:
        try:
            spawn([program], {"PATH": "/usr/bin:/bin"}, str(folder), output.fileno())
        except (OSError, ValueError) as error:
            return why_not_started(program, str(folder), error)
        finally:
            os.chdir(before)
    raise AssertionError(f"{program} was started")


@pytest.mark.parametrize(
    ("program", "content", "mode", "said"),
    [
        ("./my search.sh", SCRIPT, 0o644, "make it executable: chmod +x './my search.sh'"),
        ("search.sh", SCRIPT, 0o755, "write ./search.sh"),
        ("./search.sh", BARE, 0o755, "its first line has to name a program"),
        ("./search.py", LOST, 0o755, "the program that its first line names is not there"),
    ],
)
def test_the_next_step_is_said(tmp_path: Path, program: str, content: bytes, mode: int, said: str) -> None:
    file = tmp_path / program
    file.write_bytes(content)
    file.chmod(mode)

    message = refused(tmp_path, program)

    assert message.startswith(f"cannot start {program}: ")
    assert said in message


def test_a_folder_and_an_absent_program_are_distinguished(tmp_path: Path) -> None:
    assert refused(tmp_path, str(tmp_path)).endswith("(it is a folder)")
    assert refused(tmp_path, "no-such-program") == "cannot start no-such-program: No such file or directory"
