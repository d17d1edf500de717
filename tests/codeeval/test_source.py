"""What a model's answer has around its code is taken off, and nothing else is."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from accsearch.cli import compare
from accsearch.codeeval.source import program_in
from accsearch.codeeval.static import extract_source

CODE = """from diffusers import StableDiffusionXLPipeline
p = StableDiffusionXLPipeline.from_pretrained("some/xl")
p("a heron", num_inference_steps=12)
"""


def numbered(text: str) -> list[tuple[int, str]]:
    """Return the lines that hold code, with their numbers."""
    lines = program_in(text.encode()).data.decode().split("\n")
    return [
        (number, line.strip()) for number, line in enumerate(lines, 1) if line.strip() not in ("", "pass")
    ]


@pytest.mark.parametrize(
    "answer",
    [
        f"Sure!\n\n```python\n{CODE}```\nIt isn't slow.\n",
        f"~~~py\n{CODE}~~~~",
        f"```\n{CODE}```",
        f"````markdown\nRead on:\n```python3 title=gen.py\n{CODE}```\n````\n",
        f"<think>\nMaybe\n```python\nbroken(\n```\nno, it's\n</think>\nHere:\n```Python\n{CODE}\n```",
        f"thoughts whose opening tag isn't here\n</think>\n{CODE}",
        f"<reasoning>it's easy</reasoning>\n{CODE}",
        f"Install:\n```bash\npip install 'x\n```\nThen:\n```python\n{CODE}```\nprints\n```\nan image\n```\n",
        f"The answer is cut off:\n```python\n{CODE}",
        f"{CODE}```\nThat's the code whose opening fence stood in the prompt.",
        f"\ufeffHere:\r\n```python\r\n{CODE}```\r\n",
        "1. First:\n   ```python\n" + "".join(f"   {line}\n" for line in CODE.splitlines()) + "   ```\n",
    ],
)
def test_fenced_code_is_read_at_its_own_lines(answer: str) -> None:
    source = program_in(answer.encode())
    code = source.data.decode()

    assert source.remarks
    assert code.count("\n") == answer.replace("\r\n", "\n").count("\n") or "\r\n" in code
    for line in CODE.splitlines():
        before = answer[: answer.rindex(line)].count("\n")
        assert code.split("\n")[before].strip() == line
    fields = extract_source(source.data)
    assert (fields.model_id, fields.num_inference_steps, fields.acceleration_methods) == ("some/xl", 12, [])


def test_parts_of_a_program_in_several_fences_are_joined() -> None:
    parts = CODE.splitlines()
    answer = f"Load:\n```python\n{parts[0]}\n{parts[1]}\n```\nand call:\n```python\n{parts[2]}\n```\n"

    assert numbered(answer) == [(3, parts[0]), (4, parts[1]), (8, parts[2])]
    assert program_in(answer.encode()).remarks == (
        "the code was taken out of 2 Markdown fences (lines 3-4, 8-8)",
    )


def test_a_fence_in_a_text_of_the_fenced_code_does_not_end_it() -> None:
    answer = "Here it's:\n```python\nhelp_text = '''\n```\npipe()\n```\n'''\nx = 1\n```\n"

    assert numbered(answer)[-1] == (8, "x = 1")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%load_ext autoreload\nx = 1\n", [(2, "x = 1")]),
        ("!pip install -U \\\n  diffusers\nx = 1\n", [(3, "x = 1")]),
        ("%%time\nx = 1\n", [(2, "x = 1")]),
        ("%%timeit -n 1\nx = 1\n", [(2, "x = 1")]),
        ("%time x = call()\n", [(1, "x = call()")]),
        ("%timeit -n 2 -r 1 call()\n", [(1, "call()")]),
        ("x = 1\nif x:\n    !nvidia-smi it's\nx = 2\n", [(1, "x = 1"), (2, "if x:"), (4, "x = 2")]),
        ("?print\nprint??\nx = 1\n", [(3, "x = 1")]),
        ("%%bash\necho it's (\n# %%\nx = 1\n", [(3, "# %%"), (4, "x = 1")]),
        (
            "x = '''\n%matplotlib\n!ls\n'''\n%who\n",
            [(1, "x = '''"), (2, "%matplotlib"), (3, "!ls"), (4, "'''")],
        ),
    ],
)
def test_notebook_magics_are_taken_off(cell: str, expected: list[tuple[int, str]]) -> None:
    assert numbered(cell) == expected
    assert "magic" in program_in(cell.encode()).remarks[0]
    fenced = [(number + 1, line) for number, line in expected]
    assert numbered(f"```python\n{cell}```\n") == fenced


def test_what_a_shell_line_gives_is_unknown_to_a_reader() -> None:
    code = CODE.replace("12", "len(files)")

    fields = extract_source(program_in(f"files = !ls\n{code}".encode()).data)

    assert fields.model_id == "some/xl"
    assert fields.states["num_inference_steps"] == "undetermined"


def test_the_code_of_a_notebook_file_is_read_cell_by_cell() -> None:
    lines = CODE.splitlines(keepends=True)
    cells = [
        {"cell_type": "markdown", "source": ["# it's\n"]},
        {
            "cell_type": "code",
            "source": ["%matplotlib inline\n", *lines[:2]],
            "outputs": [],
            "execution_count": None,
        },
        {"cell_type": "code", "source": f"%time {lines[2]}"},
    ]
    source = program_in(json.dumps({"cells": cells, "nbformat": 4, "metadata": {}}).encode())

    assert source.remarks == ("the code of 2 notebook cells was taken",)
    assert extract_source(source.data).num_inference_steps == 12


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        f"text = '''\n```python\nx = 2\n```\n<think>\n'''\n{CODE}",
        "x = 5\\\n%3\ny = (x\n%2)\n",
        '"""Doc.\n\n```python\nx = 2\n```\n"""\ndef broken(:\n',
        "I cannot help with that; it's wrong.\n",
        "print 'old'\n",
        '{"cells": 1, "x": None}\n',
        "\0",
    ],
)
def test_other_files_are_left_as_they_are(text: str) -> None:
    source = program_in(text.encode())

    assert source.data == text.encode()
    assert source.remarks == ()


def test_wrong_code_in_a_fence_is_reported_at_its_own_line(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(CODE)
    (tmp_path / "bad.py").write_text("It's here:\n```python\nx = 1\ndef broken(:\n```\n")

    document = run(tmp_path, "--json")

    assert document["verdict"] == "unparsable"
    assert "line 4" in document["error"]


@pytest.mark.parametrize("mode", ["static", "relaxed"])
def test_the_remark_is_in_the_json_and_in_the_text(mode: str, tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(CODE)
    (tmp_path / "bad.py").write_text(f"It's here:\n```python\n!ls\n{CODE}```\n")

    document = run(tmp_path, "--json", "--mode", mode)

    assert document["verdict"] == "match"
    place = tmp_path / "bad.py"
    assert document["remarks"] == [
        f"{place}: the code was taken out of a Markdown fence (lines 3-6)",
        f"{place}: 1 notebook magic was taken off",
    ]
    assert "remark: " in invoke(tmp_path, "--mode", mode)


def invoke(folder: Path, *options: str) -> str:
    app = typer.Typer()
    app.command()(compare.compare)
    given = [str(folder / "good.py"), str(folder / "bad.py"), *options]
    return CliRunner().invoke(app, given, standalone_mode=False).stdout


def run(folder: Path, *options: str) -> dict[str, object]:
    document: dict[str, object] = json.loads(invoke(folder, *options))
    return document
