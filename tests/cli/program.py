"""Start the program as users do."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CONFIG = """\
name: words
grid: {word: [one, two, three]}
worker:
  kind: command
  command: ["sh", "-c", "echo $0; test ! -e $0.bad || exit 7; echo 'Successfully completed'", "{word}"]
"""


def accsearch(
    *arguments: str, folder: Path, env: Mapping[str, str] | None = None, patience: float = 120
) -> "subprocess.CompletedProcess[str]":
    """Run accsearch in `folder` to its end; `env` stands for this process' environment."""
    return subprocess.run(
        [sys.executable, "-m", "accsearch", *arguments],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=patience,
    )


def read_json(*arguments: str, folder: Path) -> Any:
    """Run a command with --json, assert that it printed JSON alone, and return it."""
    ended = accsearch(*arguments, "--json", folder=folder)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)
