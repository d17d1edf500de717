"""Prompts from a file, and from a data set of the COCO schema."""

import json
from pathlib import Path
from typing import Any

import pytest

from accsearch.config.schema import PromptsConfig
from accsearch.errors import UsageError
from accsearch.worker.prompts import doubled, gather_prompts, load_prompts, shortened


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


def of_values(folder: Path, *captions: Any) -> PromptsConfig:
    """A local data set with these values in its column of captions, and a column of texts beside it."""
    folder.mkdir()
    rows = [{"captions": caption, "text": f"text {n}"} for n, caption in enumerate(captions)]
    (folder / "validation.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return PromptsConfig(dataset=str(folder))


@pytest.mark.parametrize(
    ("captions", "why"),
    [
        (("one", None, "two"), "1 row of the data set left out: no caption"),
        ((["one"], [], [None], ["two"]), "2 rows of the data set left out: no caption"),
        (("one", " \n", "two"), "1 row of the data set left out: no caption"),
        (
            ("one", "o\u2028ne", "two"),
            "1 row of the data set left out: the prompt holds U+2028 (LINE SEPARATOR)",
        ),
    ],
)
def test_rows_without_a_caption_are_left_out_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, captions: tuple[Any, ...], why: str
) -> None:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))

    found = gather_prompts(of_values(tmp_path / "set", *captions), 2)

    assert found.texts == ["one", "two"]
    assert found.notes == (why,)


@pytest.mark.parametrize(
    ("caption", "holds"),
    [
        (7, "values of the type int64"),
        (0.5, "values of the type double"),
        (True, "values of the type bool"),
        (None, "nothing but nulls"),
        ({"raw": "a cat"}, "mappings of raw"),
        ([{"raw": "a cat"}], "lists of mappings of raw"),
        ([["a cat"]], "lists of lists of values of the type string"),
        ([1, 2], "lists of values of the type int64"),
    ],
)
def test_a_column_that_holds_no_texts_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caption: Any, holds: str
) -> None:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))

    with pytest.raises(UsageError) as caught:
        load_prompts(of_values(tmp_path / "set", caption, caption), 2)

    assert f"captions of {tmp_path}/set holds {holds} " in str(caught.value).replace("float64", "double")
    assert str(caught.value).endswith("columns of texts: text)")


def test_a_column_of_images_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "set" / "validation"
    folder.mkdir(parents=True)
    for name in ("a", "b"):
        Image.new("RGB", (8, 8)).save(folder / f"{name}.png")

    with pytest.raises(UsageError, match="holds values of the type Image"):
        load_prompts(PromptsConfig(dataset=str(tmp_path / "set"), column="image"), 2)


def test_too_few_rows_with_a_caption_say_how_many_have_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))

    with pytest.raises(UsageError, match=r"2 prompts asked for, .*set has 1; 1 row of the data set left out"):
        load_prompts(of_values(tmp_path / "set", "one", None), 2)


def test_prompts_that_repeat_are_noted(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("one\ntwo\none\n")

    found = gather_prompts(PromptsConfig(file=str(tmp_path / "p.txt")), 3)

    assert found.notes == ("1 of 3 prompts repeat an earlier one",)


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
