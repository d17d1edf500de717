"""scripts/check_words.py: which words it finds, where, and what it leaves alone."""

from pathlib import Path

import pytest
from scripts.check_words import Hit, files, in_python, in_text, main


def lines_and_words(hits: object) -> list[tuple[int, str]]:
    return [(hit.line, hit.text) for hit in hits]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The cages of two files", "cages"),
        ("Mended: a marker", "Mended"),
        ("one card for each worker", "card"),
        ("timed beside\nwhat the baseline is timed beside", "beside what"),
        ("Return the same for another task.", "Return the same for"),
        ("the same for failures of tasks", "the same for"),
    ],
)
def test_a_word_is_found_in_text(text: str, found: str) -> None:
    assert [hit.text for hit in in_text(text)] == [found]


@pytest.mark.parametrize(
    "text",
    [
        "a benchmark on a workstation, with a snapshot and a screenshot",
        "the model card, MODEL_CARD.md, the\nmodel\ncards of two models",
        "a test harness; a one-shot run; DiffBench",
        "accsearch.demo.operators.mend_torchvision",
        "outstanding, a wildcard, discard, immaterial",
        "the transfer of pixels is the same for both",
    ],
)
def test_the_phrases_of_the_field_pass(text: str) -> None:
    assert [hit.text for hit in in_text(text)] == (
        ["the same for"] if text.startswith("the same for") else []
    )


def test_the_line_is_that_of_the_word_also_behind_an_allowed_phrase() -> None:
    assert lines_and_words(in_text("a model\ncard\n\nand a cage", first_line=10)) == [(13, "cage")]


def test_identifiers_comments_and_docstrings_of_python_are_read() -> None:
    source = '''"""Fine."""
import mended as station

class GuestBook:
    """Open a bench."""

    def duel(self, harness, *, told):
        self.card = 1  # a fair shot
        with open("x") as likeness:
            pass
'''
    found = lines_and_words(in_python(source, messages=False))
    assert sorted(found) == [
        (2, "station"),
        (4, "Guest"),
        (5, "bench"),
        (7, "duel"),
        (7, "harness"),
        (7, "told"),
        (8, "card"),
        (8, "shot"),
        (9, "likeness"),
    ]


def test_messages_are_read_where_asked_and_data_never() -> None:
    source = 'key = "cage"\nraise ValueError(f"no cage for {key}")\n'
    assert lines_and_words(in_python(source, messages=True)) == [(2, "cage")]
    assert not list(in_python(source, messages=False))


def test_names_that_are_only_used_are_the_definition_s_matter() -> None:
    assert not list(in_python("import card\ncard.shot(bench.told)\n", messages=False))


def test_a_hit_says_what_to_write() -> None:
    assert list(in_text("mend it")) == [Hit(1, "mend", "fix")]


def test_the_program_prints_each_place_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/station.py").write_text("x = 1\n")
    (tmp_path / "README.md").write_text("Plain.\n\nThe duel.\n")
    (tmp_path / ".pytest_cache").mkdir()
    (tmp_path / ".pytest_cache/README.md").write_text("A cage.\n")
    monkeypatch.setattr("sys.argv", ["check_words.py", str(tmp_path)])
    assert main() == 1
    assert capsys.readouterr().out.splitlines() == [
        "README.md:3: 'duel': write paired run",
        "src/station.py:1: 'station': write slot",
    ]
    (tmp_path / "src/station.py").unlink()
    (tmp_path / "README.md").write_text("Plain.\n")
    assert main() == 0
    assert capsys.readouterr().out == ""


def test_excepted_folders_are_not_read(tmp_path: Path) -> None:
    for name in (
        "src/accsearch/codeeval/interpreter/path.py",
        "tests/codeeval/corpus/README.md",
        "tests/test_x.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert [path.relative_to(tmp_path).as_posix() for path in files(tmp_path)] == ["tests/test_x.py"]
