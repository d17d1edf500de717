"""Strict YAML: no duplicate keys, no tags, no YAML 1.1 surprises, and the line of every key."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any

import yaml

from accsearch.config.mistake import Path, dotted
from accsearch.errors import ConfigError

MAX_BYTES = 1 << 20
MAX_NODES = 100_000
MAX_DEPTH = 24
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?[0-9]{1,20}|0x[0-9a-fA-F]{1,16}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS = {"": None, "~": None} | {
    form: value
    for word, value in (("null", None), ("true", True), ("false", False))
    for form in (word, word.title(), word.upper())
}


@dataclass(frozen=True, slots=True)
class Position:
    """Where a value was written: a file, or an override, and the line (from 1) in it."""

    file: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar as written: `text`, and whether quotes or a block made it text."""

    text: str
    quoted: bool

    def value(self) -> str | int | float | bool | None:
        """Return what the scalar means in YAML 1.2's core schema, so that NO, 1:30 and 010 are no traps."""
        if self.quoted:
            return self.text
        if self.text in _WORDS:
            return _WORDS[self.text]
        if _INT.fullmatch(self.text):
            return int(self.text, 16 if "x" in self.text else 10)
        if _FLOAT.fullmatch(self.text) and math.isfinite(number := float(self.text)):
            return number
        return self.text

    def as_text(self) -> str | None:
        """Return the text as written, None for an unquoted null."""
        return None if not self.quoted and self.text in ("", "~", "null") else self.text


Tree = Scalar | list[Any] | dict[str, Any]


@dataclass
class Document:
    """A configuration as written: nested dicts and lists of scalars, and the place of each path."""

    file: str
    tree: dict[str, Any] = field(default_factory=dict)
    places: dict[Path, Position] = field(default_factory=dict)

    def error(self, path: Path, message: str) -> ConfigError:
        """Return the error that locates `message` at `path`, or at its nearest ancestor that was written."""
        known = next((path[:n] for n in range(len(path), 0, -1) if path[:n] in self.places), ())
        place = self.places.get(known, Position(self.file, 1))
        return ConfigError(message, file=place.file, line=place.line, key=dotted(path))

    def data(self, is_text: Callable[[Path], bool]) -> dict[str, Any]:
        """Return plain values; scalars at the paths that `is_text` names stay as they were written."""

        def plain(tree: Tree, path: Path) -> Any:
            if isinstance(tree, dict):
                return {key: plain(value, (*path, key)) for key, value in tree.items()}
            if isinstance(tree, list):
                return [plain(value, (*path, index)) for index, value in enumerate(tree)]
            return tree.as_text() if is_text(path) else tree.value()

        data: dict[str, Any] = plain(self.tree, ())
        return data

    def override(self, assignment: str) -> None:
        """Set one key as `-o key.path=value` says; the value is YAML. Raises ConfigError."""
        source = f"-o {assignment}"
        key, equals, text = assignment.partition("=")
        path: Path = tuple(key.strip().split("."))
        if not equals or "" in path:
            raise ConfigError("write it as key.path=value", file=source)
        value, places = _Reader(source, overriding=True).read(text, path)
        branch = self.tree
        for depth, part in enumerate(path[:-1], 1):
            below = branch.get(str(part))
            if below is None or (isinstance(below, Scalar) and below.value() is None):
                below = {}
                self.places[path[:depth]] = Position(source, None)
            if not isinstance(below, dict):
                raise ConfigError(f"{dotted(path[:depth])} has no keys", file=source)
            # A copy, because an alias may share the mapping with another key.
            branch[str(part)] = below = dict(below)
            branch = below
        branch[str(path[-1])] = value
        self.places = {known: at for known, at in self.places.items() if known[: len(path)] != path} | places


def read_document(path: File) -> Document:
    """Read the YAML file at `path`; raises ConfigError with the line of what is wrong."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=path) from error
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"larger than {MAX_BYTES >> 20} MiB", file=path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError("not UTF-8", file=path, line=raw.count(b"\n", 0, error.start) + 1) from error
    tree, places = _Reader(str(path)).read(text, ())
    if isinstance(tree, Scalar) and tree.value() is None:
        tree = {}
    if not isinstance(tree, dict):
        raise ConfigError("a configuration is a mapping of keys, as in `grid: {…}`", file=path, line=1)
    return Document(str(path), tree, places)


def _blank_before(text: str, line: int, column: int) -> str:
    """Return the blanks that end at a place where YAML stopped reading, the character there included."""
    lines = text.split("\n")
    read = lines[line][: column + 1] if line < len(lines) else ""
    return read[len(read.rstrip()) :]


class _Reader:
    """Builds the tree from YAML events, so that its depth and size are bounded before they cost anything."""

    def __init__(self, file: str, *, overriding: bool = False) -> None:
        self._file = file
        self._overriding = overriding
        self._places: dict[Path, Position] = {}
        self._anchors: dict[str, Tree] = {}
        self._nodes = 0

    def read(self, text: str, path: Path) -> tuple[Tree, dict[Path, Position]]:
        """Return the tree of the one document in `text`, which stands at `path`, and the places in it."""
        try:
            events = iter(yaml.parse(text, Loader=_LOADER))
            tree = self._document(events, path)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line if mark is not None else 0
            if mark is not None and "\t" in _blank_before(text, line, mark.column):
                raise self._error(line, "a tab, where YAML allows spaces alone") from error
            raise self._error(line, f"not YAML: {error.problem or error.context}") from error
        except yaml.YAMLError as error:
            raise self._error(0, f"not YAML: {str(error).splitlines()[0]}") from error
        return tree, self._places

    def _document(self, events: Iterator[Any], path: Path) -> Tree:
        tree: Tree | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                root = next(events)
                if tree is not None:
                    raise self._error(root.start_mark.line, "a second document in one file")
                tree = self._node(root, events, path)
        return Scalar("", False) if tree is None else tree

    def _node(self, event: Any, events: Iterator[Any], path: Path) -> Tree:
        line = event.start_mark.line
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self._error(line, f"more than {MAX_NODES} values")
        if len(path) > MAX_DEPTH:
            raise self._error(line, f"nested deeper than {MAX_DEPTH} levels")
        self._places.setdefault(path, self._place(line))
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise self._error(line, f"no complete value is anchored as &{event.anchor} before it")
            self._count(self._anchors[event.anchor], line)
            return self._anchors[event.anchor]
        if event.tag is not None:
            raise self._error(line, f"the tag {event.tag} is not allowed; write the plain value")
        tree: Tree
        if isinstance(event, yaml.MappingStartEvent):
            tree = self._mapping(events, path)
        elif isinstance(event, yaml.SequenceStartEvent):
            tree = []
            while not isinstance(item := next(events), yaml.SequenceEndEvent):
                tree.append(self._node(item, events, (*path, len(tree))))
        else:
            tree = Scalar(event.value, quoted=event.style in ("'", '"', "|", ">"))
        if event.anchor is not None:
            self._anchors[event.anchor] = tree
        return tree

    def _mapping(self, events: Iterator[Any], path: Path) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            line = event.start_mark.line
            if not isinstance(event, yaml.ScalarEvent) or event.tag is not None:
                raise self._error(line, "a key must be plain text")
            key = event.value
            if key in mapping:
                first = self._places[(*path, key)].line
                where = f", first on line {first}" if first is not None else ""
                raise self._error(line, f"{dotted((*path, key))}: duplicate key{where}")
            self._places[(*path, key)] = self._place(line)
            mapping[key] = self._node(next(events), events, (*path, key))
        return mapping

    def _count(self, tree: Tree, line: int) -> None:
        """Count what an alias repeats, so that few lines cannot stand for billions of values."""
        below: Sequence[Any] = []
        if isinstance(tree, dict):
            below = list(tree.values())
        elif isinstance(tree, list):
            below = tree
        self._nodes += len(below)
        if self._nodes > MAX_NODES:
            raise self._error(line, f"more than {MAX_NODES} values")
        for each in below:
            self._count(each, line)

    def _place(self, line: int) -> Position:
        return Position(self._file, None if self._overriding else line + 1)

    def _error(self, line: int, message: str) -> ConfigError:
        place = self._place(line)
        return ConfigError(message, file=place.file, line=place.line)
