"""The name of a configuration comes from its file: valid, the same everywhere, and another for another file."""

import unicodedata
from pathlib import Path

import pytest

from accsearch.config.fields import CONFIG_NAME
from accsearch.config.load import load_config
from accsearch.config.naming import name_of_file
from accsearch.errors import ConfigError

GRID = "grid: {n: [1]}\nworker: {kind: command, command: [echo]}\n"


@pytest.mark.parametrize("stem", ["sd15", "my file", "a.b+c-d_e", "3D", "_test", "(1)"])
def test_an_ascii_name_stays_as_it_is_but_for_other_signs(stem: str) -> None:
    name = name_of_file(stem)

    assert CONFIG_NAME.fullmatch(name)
    assert name == "".join(c if c.isalnum() or c in "._+-" else "-" for c in stem).lstrip("._+-")


def test_names_in_other_scripts_are_valid_and_differ() -> None:
    stems = ["实验", "测试", "实验 1", "1", "1-", "тест", "тесты", "模型.v2", "émile", "emile", "🙂"]

    names = [name_of_file(stem) for stem in stems]

    assert len(set(names)) == len(stems)
    assert all(CONFIG_NAME.fullmatch(name) for name in names)


def test_a_name_does_not_depend_on_how_the_file_system_spells_it() -> None:
    stem = "modèle à côté"

    assert name_of_file(unicodedata.normalize("NFD", stem)) == name_of_file(
        unicodedata.normalize("NFC", stem)
    )
    assert name_of_file(stem).startswith("modele-a-cote-")


def test_a_name_that_was_made_up_is_remarked_on_unless_it_is_given(tmp_path: Path) -> None:
    made, given = tmp_path / "проба.yaml", tmp_path / "проба 2.yaml"
    made.write_text(GRID)
    given.write_text(f"name: probe\n{GRID}")

    assert load_config(made).facts.remarks == (
        "stands for проба.yaml, since a name is ASCII; `name:` in the file gives another",
    )
    assert load_config(given).facts.remarks == ()
    assert load_config(made, ["name=p"]).facts.remarks == ()


def test_a_name_in_another_script_is_refused_with_what_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(f"name: 实验\n{GRID}")

    with pytest.raises(ConfigError, match="allowed ASCII letters, digits"):
        load_config(path)
