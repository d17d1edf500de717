"""Read a program's text into a syntax tree; text that is hostile to the parser ends in `Unparsable`."""

import ast
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from accsearch.errors import AccsearchError, UsageError

MAX_BYTES = 512 << 10
MAX_DEPTH = 1000
"""Deepest syntax tree that is read; Python's own parser gives up near 3000."""

_STACK_BYTES = 256 << 20
_RECURSION_LIMIT = 60_000
_process_settings = threading.Lock()

Result = TypeVar("Result")


class Unparsable(AccsearchError):
    """The file is not a Python program that can be analysed; the message says why."""


def read_source(path: Path) -> bytes:
    """Return the bytes of `path`, cut just beyond what may be parsed; raise UsageError if unreadable."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error
    return data


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
    except (SyntaxError, ValueError, LookupError, OverflowError, MemoryError, RecursionError) as error:
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
