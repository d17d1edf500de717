"""Splits of a local data set, by the names of its files."""

from pathlib import Path

import pytest

from accsearch.config.dataset_splits import missing_split


def data(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    return folder


@pytest.mark.parametrize(
    ("names", "split", "allowed"),
    [
        (("data.jsonl",), "validation", "train"),
        (("train.csv", "test.csv"), "validation", "test or train"),
        (("images/my-val-2017.parquet",), "test", "validation"),
        (
            ("data/karpathy-00000-of-00001.parquet", "data/rest-00000-of-00001.parquet"),
            "train",
            "karpathy or rest",
        ),
        (("data.jsonl",), "validation[:100]", "train"),
    ],
)
def test_a_split_that_no_file_is_named_after_is_refused(
    tmp_path: Path, names: tuple[str, ...], split: str, allowed: str
) -> None:
    found = missing_split(data(tmp_path, *names), split)

    assert found is not None and found.endswith(f"(allowed {allowed})")


@pytest.mark.parametrize(
    ("names", "split"),
    [
        (("data.jsonl",), "train"),
        (("data.jsonl",), "train[:10]"),
        (("validation.jsonl",), "validation"),
        (("dev/a.png", "dev/metadata.csv"), "validation"),
        (("my_data-val.csv", "my_data-train.csv"), "validation"),
        (("data/karpathy-00000-of-00002-abc.parquet",), "karpathy"),
        (("data.jsonl", "README.md"), "anything"),
        (("data.jsonl", "loader.py"), "anything"),
        (("a.csv",), "train+test"),
        ((), "validation"),
    ],
)
def test_a_split_that_may_be_there_is_left_to_the_package(
    tmp_path: Path, names: tuple[str, ...], split: str
) -> None:
    assert missing_split(data(tmp_path, *names), split) is None
