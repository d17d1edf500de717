"""Read a program's text into a syntax tree; text that is hostile to the parser ends in `Unparsable`.

What a model's answer has around its code (Markdown fences, notebook magics) is taken off where the file is no
Python program as it stands.
"""

import ast
import re
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from accsearch.codeeval.fences import Block, fenced_code, without_thoughts
from accsearch.codeeval.magics import without_magics
from accsearch.codeeval.notebook import notebook_cells
from accsearch.errors import AccsearchError, UsageError

MAX_BYTES = 512 << 10
MAX_DEPTH = 1000
"""Deepest syntax tree that is read; Python's own parser gives up near 3000."""

_STACK_BYTES = 256 << 20
_RECURSION_LIMIT = 60_000
_REFUSALS = (SyntaxError, ValueError, LookupError, OverflowError, MemoryError, RecursionError)
_process_settings = threading.Lock()

Result = TypeVar("Result")


class Unparsable(AccsearchError):
    """The file is not a Python program that can be analysed; the message says why."""


@dataclass(frozen=True, slots=True)
class Source:
    """A program's text, and what was removed around it; lines keep their numbers, except in a notebook."""

    data: bytes
    remarks: tuple[str, ...] = ()


def read_source(path: Path) -> Source:
    """Return the program in `path`, cut just beyond what may be parsed; raise UsageError if unreadable."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error
    return Source(data) if len(data) > MAX_BYTES else program_in(data)


def program_in(data: bytes) -> Source:
    """Return the program in a model's answer; what is a program as it stands is left alone."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Source(data)
    cells = notebook_cells(text)
    if cells is not None:
        code = "\n\n".join("".join(_without_magics(_lines(cell))[0]) for cell in cells)
        return Source(f"{code}\n".encode(), (f"the code of {len(cells)} notebook cells was taken",))
    if _error_line(data) is None:
        return Source(data)
    answer = without_thoughts(text)
    remarks: tuple[str, ...] = () if answer == text else ("the thoughts before the answer were taken off",)
    lines = _lines(answer)
    code_lines, magics = _without_magics(lines)
    if _error_line("".join(code_lines)) is not None:
        fenced = fenced_code(lines, lambda part: _error_line("".join(_without_magics(part)[0])) is None)
        if fenced is None:
            return Source(data)
        code_lines, magics = _without_magics(fenced[0])
        remarks += (_fence_remark(fenced[1]),)
    if magics:
        remarks += (f"{magics} notebook magic{'s were' if magics > 1 else ' was'} taken off",)
    return Source("".join(code_lines).encode(), remarks)


def _fence_remark(blocks: list[Block]) -> str:
    places = ", ".join(f"{block.start + 1}-{block.start + len(block.lines)}" for block in blocks)
    fences = "a Markdown fence" if len(blocks) == 1 else f"{len(blocks)} Markdown fences"
    return f"the code was taken out of {fences} (lines {places})"


def _lines(text: str) -> list[str]:
    """Return the lines that Python counts, each with its end."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)


def _without_magics(lines: list[str]) -> tuple[list[str], int]:
    return without_magics(lines, lambda found: _error_line("".join(found)))


def _error_line(text: str | bytes) -> int | None:
    """Return the index of the line at which Python stops reading, -1 if it is unknown, None if it reads all."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        return (error.lineno or 0) - 1
    except _REFUSALS:
        return -1
    return None


def parse(data: bytes, name: str = "<code>") -> ast.Module:
    """Parse and check `data` as the compiler would, running nothing; raise Unparsable."""
    if len(data) > MAX_BYTES:
        raise Unparsable(f"{name}: larger than {MAX_BYTES} bytes")
    try:
        # An invalid escape in the judged file is no concern of whoever reads our stderr.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data, filename=name)
            if _depth(tree) > MAX_DEPTH:
                raise Unparsable(f"{name}: nested deeper than {MAX_DEPTH} levels")
            # The compiler rejects what the grammar alone lets through, such as a return outside a function.
            compile(data, name, "exec", dont_inherit=True, optimize=0)
    except _REFUSALS as error:
        raise Unparsable(f"{name}: {type(error).__name__}: {error}") from error
    return tree


def with_deep_stack(work: Callable[[], Result]) -> Result:
    """Return `work()`, run on a thread whose stack holds deep recursion over a syntax tree."""
    with _process_settings:
        stack = threading.stack_size(_STACK_BYTES)
        limit = sys.getrecursionlimit()
        try:
            sys.setrecursionlimit(max(limit, _RECURSION_LIMIT))
            with ThreadPoolExecutor(1, thread_name_prefix="accsearch-compare") as pool:
                return pool.submit(work).result()
        finally:
            threading.stack_size(stack)
            sys.setrecursionlimit(limit)


def _depth(tree: ast.AST) -> int:
    """Depth of the tree, counted without recursion."""
    deepest = 0
    level: list[ast.AST] = [tree]
    while level and deepest <= MAX_DEPTH:
        deepest += 1
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return deepest
