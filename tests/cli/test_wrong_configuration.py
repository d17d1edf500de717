"""A wrong configuration ends `run` and `plan` with exit code 2 and one located line, before anything is made."""

from pathlib import Path

import pytest
from tests.cli.program import CONFIG, accsearch
from tests.config.test_mistakes import GRID, MISTAKES

CHOSEN = (
    "unknown top-level key",
    "unknown nested key",
    "wrong type",
    "empty axis",
    "unknown scheduler",
    "unknown method",
    "unknown model",
    "steps of zero",
    "negative steps",
    "gate beyond every steps",
    "branch beyond the UNet",
    "ratio too large",
    "missing prompts",
    "unknown placeholder",
    "duplicate key",
    "not YAML",
)
SAME_ID = ("value given twice", "one scheduler by two names", "one name for two models")


def refused(folder: Path, *arguments: str) -> str:
    """Assert that a command is refused before anything is made; return its line on stderr."""
    before = sorted(folder.iterdir())
    ended = accsearch(*arguments, "--workdir", "work", folder=folder)
    assert ended.returncode == 2, ended.stderr
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert sorted(folder.iterdir()) == before
    return ended.stderr


@pytest.mark.parametrize(
    "command", [("run", "--gpus", "none"), ("run", "--dry-run"), ("plan",)], ids=" ".join
)
@pytest.mark.parametrize("mistake", ["gate beyond every steps", "unknown nested key"])
def test_each_command_that_reads_a_configuration_refuses_it(
    tmp_path: Path, mistake: str, command: tuple[str, ...]
) -> None:
    text, start, _ = MISTAKES[mistake]
    (tmp_path / "wrong.yaml").write_text(text)
    assert refused(tmp_path, *command, "wrong.yaml").startswith(f"accsearch: wrong.yaml:{start}")


@pytest.mark.parametrize("mistake", [*CHOSEN, *SAME_ID])
def test_a_mistake_names_its_file_and_line_and_what_is_allowed(tmp_path: Path, mistake: str) -> None:
    text, start, rest = MISTAKES[mistake]
    (tmp_path / "wrong.yaml").write_text(text)
    line = refused(tmp_path, "run", "wrong.yaml")
    assert line.startswith(f"accsearch: wrong.yaml:{start}")
    assert rest in line


def test_one_wrong_configuration_of_several_starts_none(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(CONFIG)
    (tmp_path / "wrong.yaml").write_text(GRID + "worker: {seed: x}\n")
    assert "wrong.yaml:2: worker.seed" in refused(
        tmp_path, "run", "good.yaml", "wrong.yaml", "--gpus", "none"
    )


def test_two_configurations_of_one_name_start_nothing(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(CONFIG)
    assert "named words" in refused(tmp_path, "run", "a.yaml", "b.yaml", "--gpus", "none")


def test_a_mistake_in_an_override_starts_nothing(tmp_path: Path) -> None:
    (tmp_path / "words.yaml").write_text(CONFIG)
    line = refused(tmp_path, "run", "words.yaml", "--gpus", "none", "-o", "retry.max_attempt=1")
    assert "-o retry.max_attempt=1" in line and "did you mean max_attempts?" in line


def test_a_search_for_a_gpu_is_refused_without_one_and_the_way_out_is_named(tmp_path: Path) -> None:
    grid = "grid: {pipe: [{name: tiny, model: 'builtin:tiny-sd'}], sched: [DDIM], steps: [4]}\n"
    (tmp_path / "c.yaml").write_text(grid + "worker: {device: cuda, num_samples: 2}\nmethods: {}\n")

    ended = accsearch("run", "c.yaml", "--gpus", "none", folder=tmp_path)

    assert ended.returncode == 3
    assert len(ended.stderr.splitlines()) == 1
    assert "-o worker.device=cpu" in ended.stderr
