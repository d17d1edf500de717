"""Notebook magics and shell lines, which are replaced by what Python can read."""

import re
from collections.abc import Callable

_MAX_MAGICS = 500
_LINE = re.compile(r"(?P<indent>\s*)(?:[%!]|\?{1,2}\s*[\w.*]|[\w.*%]+\?{1,2}\s*$)")
_CELL = re.compile(r"\s*%%(?P<name>\w+)")
_CELL_END = re.compile(r"\s*(?:%%\w|# ?%%|# In ?\[)")
_RUNS = re.compile(
    r"(?P<indent>\s*)%(?:time|timeit|prun|memit)\s+(?P<options>(?:-\w+(?:\s+\d+)?\s+)*)(?P<code>.*)"
)
_ASSIGNED = re.compile(r"(?P<target>\s*[\w.,\[\]'\" ]+?=\s*)[%!](?!=)")
_PYTHON_CELLS = frozenset({"time", "timeit", "capture", "prun", "memit", "debug"})
"""Cell magics below which Python stands; what others hold is of another language or a file of its own."""

_SHELL_RESULT = 'open("/dev/null").readlines()'
"""Stands for what a command printed: nothing in a run, and unknown to a reader."""


def without_magics(lines: list[str], error_line: Callable[[list[str]], int | None]) -> tuple[list[str], int]:
    """Return the lines with magics replaced by Python, and how many were replaced.

    Only lines at which Python stops reading are replaced, so that no line inside a text of the program is touched.
    `error_line` gives the index of that line, None if Python reads all.
    """
    lines = list(lines)
    replaced = 0
    while replaced < _MAX_MAGICS and (index := error_line(lines)) is not None:
        if not 0 <= index < len(lines) or not _replace(lines, index):
            break
        replaced += 1
    return lines, replaced


def _replace(lines: list[str], index: int) -> bool:
    """Replace the magic at a line, whatever belongs to it too; tell whether there is one."""
    line = lines[index]
    assigned, runs, magic = _ASSIGNED.match(line), _RUNS.match(line), _LINE.match(line)
    if (cell := _foreign_cell(lines, index)) is not None:
        _blank_cell(lines, cell)
    elif _CELL.match(line):
        lines[index] = _ending(line)
    elif runs is not None:
        lines[index] = runs["indent"] + (runs["code"] or "pass") + _ending(line)
    elif assigned is not None:
        _drop_continuation(lines, index)
        lines[index] = assigned["target"] + _SHELL_RESULT + _ending(line)
    elif magic is not None:
        _drop_continuation(lines, index)
        lines[index] = magic["indent"] + "pass" + _ending(line)
    else:
        return False
    return True


def _foreign_cell(lines: list[str], index: int) -> int | None:
    """Return where the cell begins that a line is in, if its magic says that it is no Python."""
    for start in range(index, -1, -1):
        cell = _CELL.match(lines[start])
        if cell is not None:
            return None if cell["name"] in _PYTHON_CELLS else start
        if _CELL_END.match(lines[start]):
            return None
    return None


def _blank_cell(lines: list[str], start: int) -> None:
    lines[start] = _ending(lines[start])
    for index in range(start + 1, len(lines)):
        if _CELL_END.match(lines[index]):
            return
        lines[index] = _ending(lines[index])


def _drop_continuation(lines: list[str], index: int) -> None:
    line = lines[index]
    while line.rstrip("\r\n").endswith("\\") and index + 1 < len(lines):
        index += 1
        line, lines[index] = lines[index], _ending(lines[index])


def _ending(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]
