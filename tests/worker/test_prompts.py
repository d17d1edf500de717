"""Prompts from a file, and from a data set of the COCO schema."""

import json
from pathlib import Path

import pytest

from accsearch.config.schema import PromptsConfig
from accsearch.errors import UsageError
from accsearch.worker.prompts import doubled, load_prompts, shortened


def dataset(folder: Path) -> PromptsConfig:
    """A local folder of the schema of the COCO captions: a list of captions in each row."""
    folder.mkdir()
    rows = [{"image_id": n, "captions": [f"first caption {n} ", f"second {n}"]} for n in range(3)]
    text = "\n".join(json.dumps(row) for row in rows)
    (folder / "validation.jsonl").write_text(text)
    return PromptsConfig(dataset=str(folder), split="validation", column="captions")


def test_a_list_column_means_its_first_element(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))

    assert load_prompts(dataset(tmp_path / "coco"), 2) == ["first caption 0", "first caption 1"]


def test_an_absent_column_is_named(tmp_path: Path) -> None:
    source = dataset(tmp_path / "coco").model_copy(update={"column": "text"})

    with pytest.raises(UsageError, match=r"no column text \(it has image_id, captions\)"):
        load_prompts(source, 2)


def test_a_file_gives_its_first_lines_that_are_not_empty(tmp_path: Path) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("one\n\n  two \nthree\n")

    assert load_prompts(PromptsConfig(file=str(file)), 2) == ["one", "two"]


def test_too_few_prompts_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("one\n")

    with pytest.raises(UsageError, match="2 prompts asked for"):
        load_prompts(PromptsConfig(file=str(file)), 2)


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"prompts\.file"):
        load_prompts(PromptsConfig(file=str(tmp_path / "absent.txt")), 1)


def test_rewordings() -> None:
    assert shortened("x" * 60) == "x" * 50
    assert doubled("a cat") == "a cat a cat"
