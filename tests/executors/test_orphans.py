"""Ending what an attempt left behind."""

import os
import subprocess
from pathlib import Path

import pytest

from accsearch.executors.orphans import end_attempt

pytestmark = pytest.mark.process


def test_a_process_that_is_loading_a_program_is_found_too(tmp_path: Path) -> None:
    # Given a process that does nothing but load itself anew, during which the kernel shows no environment
    script = tmp_path / "again.sh"
    script.write_text('exec sh "$0"\n')
    for number in range(20):
        nonce = f"loading-{number}"
        process = subprocess.Popen(["sh", str(script)], env=os.environ | {"ACCSEARCH_NONCE": nonce})
        # When its attempt is ended
        left = end_attempt(nonce)
        # Then it has ended
        alive = process.poll() is None
        process.kill()
        process.wait()
        assert left == []
        assert not alive, number
