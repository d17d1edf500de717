"""Fail when a text or a name of the repository uses a word that has a plain replacement: `check_words.py [ROOT]`.

Read are, of Python files, module names, the identifiers that they define, comments, docstrings and (in src) messages;
of Markdown files, everything. One concept keeps one name, and it is the field's own: see CONTRIBUTING.md.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

WORDS = {
    "cage": "sandbox",
    "caged": "sandboxed, in the sandbox",
    "guest": "program (the process in the sandbox) or client (the parent's side)",
    "harness": "program",
    "duel": "paired run",
    "mend": "fix",
    "mended": "fixed",
    "mending": "fixing",
    "told": "say who says what (given, passed, known by, distinguished); as a name: what it holds",
    "fought": "run, measured",
    "station": "slot",
    "card": "device or GPU",
    "bench": "loaded task",
    "shot": "image pair",
    "likeness": "image distance, similarity",
    "suspicion": "validity",
    "standing": "pass rate, state",
    "material": "inputs",
    "quarrel": "conflict",
    "foe": "competitor",
    "grisly": "leave it out",
}
"""Word, or its plural in s, and what to write instead."""

PHRASES = {
    r"beside what": "say beside which thing",
    r"return the same for": "say what it returns",
    r"\A\W*the same for": "say what it is",
    r"in vain": "without success, and was refused",
    r"whoever is on it": "even if it is in use",
}

ALLOWED = (
    r"model cards?",
    r"data(?: set)? cards?",
    r"test harness",
    r"evaluation harness",
    r"(?:one|few|zero|single) shot",
    r"long standing",
    r"diff bench",
    r"mend torchvision",
)
"""Phrases that are the field's own, matched after names are taken apart (`DiffBench` is `diff bench`)."""

EXCEPTED = (
    "src/accsearch/codeeval/interpreter",  # until the reader of code is redesigned
    "tests/codeeval/corpus",  # programs as others wrote them
    "tests/codeeval/snippets",
    "tests/codeeval/caged.py",  # a name that programs outside import
)

FOLDERS = ("src", "scripts", "benchmarks", "tests")

_SPACE = r"[\s-]+"
_ALLOWED = re.compile(rf"\b(?:{'|'.join(ALLOWED).replace(' ', _SPACE)})\b", re.IGNORECASE)
_WORDS = re.compile(rf"\b(?P<word>{'|'.join(WORDS)})s?\b", re.IGNORECASE)
_PHRASES = [
    (re.compile(pattern.replace(" ", r"\s+"), re.IGNORECASE), advice) for pattern, advice in PHRASES.items()
]
_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Hit(NamedTuple):
    line: int
    text: str
    advice: str


def in_text(text: str, first_line: int = 1) -> Iterator[Hit]:
    """Yield each word and phrase of `text` to replace, with its line; `first_line` is the number of its first."""
    words = _ALLOWED.sub(
        lambda allowed: "\n" * allowed[0].count("\n"), _CASE.sub(" ", text.replace("_", " "))
    )
    found = [(match, WORDS[match["word"].lower()]) for match in _WORDS.finditer(words)]
    found += [(match, advice) for pattern, advice in _PHRASES for match in pattern.finditer(words)]
    for match, advice in sorted(found, key=lambda each: each[0].start()):
        yield Hit(first_line + words.count("\n", 0, match.start()), " ".join(match[0].split()), advice)


def in_python(source: str, *, messages: bool) -> Iterator[Hit]:
    """Yield the hits among the identifiers that `source` defines, its comments and docstrings, and its `messages`."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for name in _defined(node):
            yield from in_text(name, getattr(node, "lineno", 1))
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            yield from in_text(node.value.value, node.lineno)
        elif (
            messages and isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
        ):
            yield from in_text(node.value, node.lineno)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield from in_text(token.string, token.start[0])


def _defined(node: ast.AST) -> Iterator[str]:
    """Yield the names that `node` itself binds."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.arg(arg=name):
            yield name
        case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
            yield name
        case ast.alias(asname=str(name)) | ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            yield name


def in_file(root: Path, path: Path) -> list[Hit]:
    """Return the hits of one file below `root` in the order of its lines, its name counting as line 1."""
    text = path.read_text(encoding="utf-8")
    inside = path.relative_to(root)
    hits = list(in_text(" ".join(inside.with_suffix("").parts)))
    if path.suffix == ".py":
        hits += in_python(text, messages=inside.parts[0] == "src")
    else:
        hits += in_text(text)
    return sorted(set(hits))


def files(root: Path) -> Iterator[Path]:
    """Yield the files of `root` that are read, in order."""
    python = (path for folder in FOLDERS for path in (root / folder).rglob("*.py"))
    markdown = (path for path in root.rglob("*.md") if not _is_hidden(path.relative_to(root)))
    for path in sorted({*python, *markdown}):
        if not any(path.is_relative_to(root / excepted) for excepted in EXCEPTED):
            yield path


def _is_hidden(inside: Path) -> bool:
    return any(part.startswith(".") and part != ".github" for part in inside.parts)


def main() -> int:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = [(path.relative_to(root), hit) for path in files(root) for hit in in_file(root, path)]
    for path, hit in found:
        print(f"{path}:{hit.line}: {hit.text!r}: write {hit.advice}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
