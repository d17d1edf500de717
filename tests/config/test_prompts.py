"""A prompts file holds what its user sees: one prompt a line, no hidden character, no lost one."""

from pathlib import Path

import pytest

from accsearch.config.load import load_config
from accsearch.config.prompts import read_prompts
from accsearch.errors import ConfigError, UsageError


def written(folder: Path, raw: bytes) -> str:
    path = folder / "prompts.txt"
    path.write_bytes(raw)
    return str(path)


@pytest.mark.parametrize(
    ("raw", "prompts"),
    [
        (b"\xef\xbb\xbfa bird\r\n\r\na fish\r\n", ["a bird", "a fish"]),
        (b"a bird\ra fish\r", ["a bird", "a fish"]),
        (b"no newline at the end", ["no newline at the end"]),
        ("caf\u00e9\u3000\u732b\n".encode(), ["caf\u00e9\u3000\u732b"]),
        ("a \U0001f469\u200d\U0001f680\n".encode(), ["a \U0001f469\u200d\U0001f680"]),
        ("\u0645\u06cc\u200c\u062e\n".encode(), ["\u0645\u06cc\u200c\u062e"]),
        (b"tab\tbed\n", ["tab\tbed"]),
    ],
)
def test_each_line_is_a_prompt_as_it_is_seen(tmp_path: Path, raw: bytes, prompts: list[str]) -> None:
    assert read_prompts(written(tmp_path, raw)) == prompts


@pytest.mark.parametrize(
    ("raw", "place", "named"),
    [
        ("one\ntwo\u2029three\n".encode(), ":2: ", "U+2029 (PARAGRAPH SEPARATOR)"),
        ("one\u2028two\n".encode(), ":1: ", "U+2028 (LINE SEPARATOR)"),
        ("one\x85two\n".encode(), ":1: ", "U+0085 (NEXT LINE)"),
        ("one\n\n\ufefftwo\n".encode(), ":3: ", "U+FEFF (BYTE ORDER MARK)"),
        ("on\u00ade\n".encode(), ":1: ", "U+00AD (SOFT HYPHEN)"),
        ("one \u200b\n".encode(), ":1: ", "U+200B (ZERO WIDTH SPACE)"),
        ("\u200d\n".encode(), ":1: ", "U+200D (ZERO WIDTH JOINER)"),
        ("\u3164\n".encode(), ":1: ", "shows nothing"),
        (b"one\x0ctwo\n", ":1: ", "U+000C"),
        (b"one\x1b[0m\n", ":1: ", "U+001B"),
        (b"one\n\x00two\n", ":2: ", "U+0000 (NULL)"),
        (b"one\rtwo\nthree\n", ":1: ", "U+000D (CARRIAGE RETURN)"),
        ("lost \ufffd\n".encode(), ":1: ", "U+FFFD"),
        ("one\n".encode("utf-16"), ": ", "UTF-16"),
        ("one\n".encode("utf-32"), ": ", "UTF-32"),
        ("one\n".encode("utf-16-be"), ":1: ", "U+0000 (NULL)"),
        (b"one\ncaf\xe9\n", ":2: ", "not UTF-8 text (byte 0xe9)"),
    ],
)
def test_what_nobody_sees_is_refused_with_its_line(
    tmp_path: Path, raw: bytes, place: str, named: str
) -> None:
    file = written(tmp_path, raw)

    with pytest.raises(UsageError) as caught:
        read_prompts(file)

    assert str(caught.value).startswith(file + place)
    assert named in str(caught.value)


def test_what_is_not_used_is_not_refused(tmp_path: Path) -> None:
    assert read_prompts(written(tmp_path, "one\ntwo\nth\u200bree\n".encode()), 2) == ["one", "two"]


def test_a_configuration_with_such_a_file_is_refused(tmp_path: Path) -> None:
    written(tmp_path, "one\ntw\u2060o\n".encode())
    path = tmp_path / "run.yaml"
    path.write_text(
        "grid: {pipe: [demo], sched: [DDIM], steps: [4]}\n"
        "worker: {num_samples: 2}\nprompts:\n  file: prompts.txt\n"
    )

    with pytest.raises(ConfigError) as caught:
        load_config(path)

    assert str(caught.value).startswith(f"{path}:4: prompts.file: {tmp_path}/prompts.txt:2: ")
    assert "WORD JOINER" in str(caught.value)


def test_repeated_and_long_prompts_are_remarked_on(tmp_path: Path) -> None:
    long = "seventy words " * 40
    written(tmp_path, f"one\n{long}\none\nunused {long}\n".encode())
    path = tmp_path / "run.yaml"
    path.write_text(
        "grid: {pipe: [demo, SDXL], sched: [DDIM], steps: [4]}\n"
        "worker: {num_samples: 3}\nprompts: {file: prompts.txt}\n"
    )

    assert load_config(path).facts.remarks == (
        "prompts.file: 1 of 3 prompts repeat an earlier one",
        "prompts.file: 1 of 3 prompts or more are longer than the 24 tokens that demo reads: the rest is cut off",
        "prompts.file: 1 of 3 prompts or more are longer than the 77 tokens that SDXL reads: the rest is cut off",
    )
