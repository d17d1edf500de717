"""Files of a node come to the work directory in pieces, whatever the node does to them meanwhile."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from accsearch.executors import copied_files
from accsearch.executors.copied_files import Destination, Piece, Source
from accsearch.workdir import TaskPaths, WorkDir


@dataclass
class Sides:
    """A node's files, and those of the work directory."""

    node: TaskPaths
    here: TaskPaths
    source: Source

    def copy(self) -> int:
        """Send all that is new; return in how many goes."""
        goes = 0
        while pieces := self.source.pieces():
            goes += 1
            for piece in pieces:
                Destination(self.here).write(piece)
        return goes


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[Sides]:
    ends = [WorkDir(tmp_path / name) for name in ("node", "here")]
    for each in ends:
        each.create("c")
    node, here = (each.task("c", "t") for each in ends)
    yield Sides(node, here, Source(node, Destination(here).have()))


def test_what_is_appended_arrives_once(sides: Sides) -> None:
    for text in ("one\n", "two\n"):
        with sides.node.log.open("a") as log, sides.node.results.open("a") as results:
            log.write(text)
            results.write(text.upper())
        assert sides.copy() == 1
    assert sides.copy() == 0
    assert (sides.here.log.read_text(), sides.here.results.read_text()) == ("one\ntwo\n", "ONE\nTWO\n")


def test_a_log_that_was_shortened_arrives_whole(sides: Sides) -> None:
    sides.node.log.write_text("head\nmuch\nmore\n")
    sides.copy()
    sides.node.log.write_text("head\ntail\n")
    sides.copy()

    assert sides.here.log.read_text() == "head\ntail\n"


def test_a_later_source_goes_on_where_the_work_directory_is(sides: Sides) -> None:
    # Given a scheduler that died in the middle of a line
    sides.node.results.write_text("first\nsecond\n")
    sides.here.results.write_text("first\nsec")

    sides.source = Source(sides.node, Destination(sides.here).have())
    sides.copy()

    assert sides.here.results.read_text() == "first\nsecond\n"


def test_a_torn_line_of_an_earlier_attempt_is_overwritten(sides: Sides) -> None:
    # Given results of which the node was given only the whole line
    sides.here.results.write_text("first\nto")
    sides.node.results.write_text("first\n")

    sides.source = Source(sides.node, Destination(sides.here).have())
    with sides.node.results.open("a") as file:
        file.write("new\n")
    sides.copy()

    assert sides.here.results.read_text() == "first\nnew\n"


def test_images_arrive_in_their_folders_and_anew_where_they_have_changed(sides: Sides) -> None:
    image = sides.node.images / "baseline" / "0000.png"
    image.parent.mkdir(parents=True)
    for content in (b"half", b"whole image"):
        image.write_bytes(content)
        sides.copy()
        assert (sides.here.images / "baseline/0000.png").read_bytes() == content


def test_what_is_large_comes_in_several_goes(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copied_files, "MOST", 10)
    sides.node.log.write_text("0123456789" * 3 + "end\n")

    assert sides.copy() == 4
    assert sides.here.log.read_text() == sides.node.log.read_text()


@pytest.mark.parametrize("name", ["../../../checkpoints/c/t.done", "/etc/passwd"])
def test_a_node_writes_nowhere_else(sides: Sides, name: str) -> None:
    with pytest.raises(PermissionError, match="a node sent the file"):
        Destination(sides.here).write(Piece(name, 0, b""))
