import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.program import CONFIG, accsearch

COMMANDS = [
    "run",
    "plan",
    "status",
    "retry",
    "logs",
    "stop",
    "gpus",
    "doctor",
    "best",
    "report",
    "export",
    "compare",
    "evaluate",
    "tune",
    "replay",
]
HEAVY = {
    "jinja2",
    "torch",
    "diffusers",
    "transformers",
    "numpy",
    "pydantic",
    "yaml",
    "rich",
    "pynvml",
    "psutil",
}


def test_help_names_every_command(tmp_path: Path) -> None:
    ended = accsearch("--help", folder=tmp_path)

    assert ended.returncode == 0
    assert all(f"  {command} " in ended.stdout for command in COMMANDS)
    assert "..." not in ended.stdout.replace("[ARGS]...", "")


def test_a_shell_completes_commands(tmp_path: Path) -> None:
    environment = {**os.environ, "_ACCSEARCH_COMPLETE": "complete_bash"}
    environment |= {"COMP_WORDS": "accsearch sta", "COMP_CWORD": "1"}
    program = str(Path(sys.executable).with_name("accsearch"))

    ended = subprocess.run([program], env=environment, capture_output=True, text=True, check=False)

    assert ended.stdout.split() == ["status"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_a_work_directory(command: str, tmp_path: Path) -> None:
    ended = accsearch(command, "--help", folder=tmp_path)

    assert ended.returncode == 0
    assert "--workdir" in ended.stdout


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import sys; sys.argv = ['accsearch', '--help']\n"
        "from accsearch.cli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert HEAVY.isdisjoint(ended.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run",), "CONFIG"),
        (("run", "absent.yaml"), "absent.yaml"),
        (("frobnicate",), "frobnicate"),
        (("status", "--jsno"), "--jsno"),
        (("retry",), "--failed"),
        (("logs", "nothing"), "no run has been started here"),
        (("retry", "nothing"), "no run has been started here"),
        (("stop",), "no run is at work"),
        (("best", "--per", "cell"), "cell"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments: tuple[str, ...], says: str, tmp_path: Path) -> None:
    ended = accsearch(*arguments, folder=tmp_path)

    assert ended.returncode == 2
    assert says in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stdout == ""


def test_alone_it_prints_its_help(tmp_path: Path) -> None:
    ended = accsearch(folder=tmp_path)

    assert ended.returncode == 2
    assert all(f"  {command} " in ended.stderr for command in COMMANDS)


def test_a_mistake_names_the_help_of_its_command(tmp_path: Path) -> None:
    ended = accsearch("best", "--per", "cell", folder=tmp_path)

    assert ended.stderr.endswith(
        "'cell' is not one of 'task', 'pipe' (see `python -m accsearch best --help`)\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [("best",), ("export",), ("report",), ("logs", "a"), ("retry", "--failed")],
    ids=lambda arguments: arguments[0],
)
def test_a_work_directory_that_is_not_there_is_no_empty_one(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    ended = accsearch(*arguments, "--workdir", "gone", folder=tmp_path)

    assert ended.returncode == 2
    assert "'gone' does not exist" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_two_configurations_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(CONFIG)
    (tmp_path / "b.yaml").write_text(CONFIG)

    ended = accsearch("plan", "a.yaml", "b.yaml", folder=tmp_path)

    assert ended.returncode == 2
    assert "words" in ended.stderr
