"""What lies in the folder where a program is started is the user's, and is not imported by ours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.program import accsearch
from tests.faults.program import Work

from accsearch.codeeval.settings import Settings, command

SHADOWS = (
    "random", "typing", "json", "enum", "signal", "yaml", "typer", "rich", "pydantic", "torch", "PIL", "datasets",
    "numpy", "transformers", "tokenize", "queue", "string", "statistics",
)  # fmt: skip
CI = str(Path("configs/ci.yaml").resolve())


@pytest.fixture
def shadowed(tmp_path: Path) -> Path:
    """A folder in which modules have the names of those that we import, as files and as packages."""
    for number, name in enumerate(SHADOWS):
        path = tmp_path / f"{name}.py" if number % 2 else tmp_path / name / "__init__.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"raise ImportError('{name} of the start folder')\n")
    return tmp_path


def test_a_search_imports_nothing_from_there(shadowed: Path) -> None:
    few = ("-o", "methods.deepcache={}", "-o", "methods.tome={}")
    ended = accsearch("run", CI, "--gpus", "none", *few, folder=shadowed)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("module", ["accsearch", "accsearch.worker"])
def test_a_module_of_ours_that_is_run_imports_nothing_from_there(shadowed: Path, module: str) -> None:
    line = [sys.executable, "-m", module, "--help"]
    ended = subprocess.run(line, cwd=shadowed, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_the_evaluating_worker_imports_nothing_from_there(shadowed: Path) -> None:
    line = command(sys.executable, ["--help"], Settings())
    ended = subprocess.run(line, cwd=shadowed, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_a_folder_that_pythonpath_names_is_imported_from(shadowed: Path) -> None:
    line = [sys.executable, "-m", "accsearch", "--version"]
    env = os.environ | {"PYTHONPATH": str(shadowed)}
    ended = subprocess.run(line, cwd=shadowed, env=env, capture_output=True, text=True, check=False)
    assert "of the start folder" in ended.stderr


def test_a_command_of_the_users_imports_from_there_as_ever(work: Work) -> None:
    (work.folder / "random.py").write_text("print('of the start folder')\n")
    (work.folder / "search.py").write_text("import random; print('finished', __import__('sys').argv[1])\n")
    work.configure([sys.executable, "-m", "search", "{n}"], {"n": ["a"]})

    run = work.run("--gpus", "none", "--slots", "1")

    assert run.process.returncode == 0, run.text
    assert work.log("a") == "of the start folder\nfinished a\n"
