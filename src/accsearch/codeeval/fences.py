"""The code in a model's answer: what stands in its Markdown fences, and not in its thoughts."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

_FENCE = re.compile(r"(?P<indent>[ \t]*)(?P<marks>`{3,}|~{3,})[ \t]*(?P<language>[^`\r\n]*?)[ \t]*\r?\n?$")
_THOUGHTS = re.compile(
    r"\s*<(?P<tag>think|thinking|thought|reasoning)>.*?</(?P=tag)>", re.DOTALL | re.IGNORECASE
)
_END_OF_THOUGHTS = re.compile(r".*</(?:think|thinking|thought|reasoning)>", re.DOTALL | re.IGNORECASE)
_PYTHON = ("python", "ipython")
_TEXT_QUOTES = re.compile("\"\"\"|'''")

Parses = Callable[[list[str]], bool]


@dataclass(frozen=True)
class Block:
    """A fenced block: the index of its first line, its lines without the fence's indentation, its language."""

    start: int
    lines: tuple[str, ...]
    language: str


def without_thoughts(text: str) -> str:
    """Return the text with the thoughts before the answer blanked, line by line."""
    match = _THOUGHTS.match(text)
    if match is None and not re.match(r"\s*<", text):
        # The opening tag often stands in the prompt.
        match = _END_OF_THOUGHTS.match(text)
    return text if match is None else re.sub(r"[^\r\n]", "", match[0]) + text[match.end() :]


def fenced_code(lines: list[str], parses: Parses) -> tuple[list[str], list[Block]] | None:
    """Return the lines with everything blanked that is no code of a fence, and the blocks that are left.

    Blocks that name Python go before those that name nothing; None if there is no such block.
    """
    blocks = _blocks(lines, parses)
    for chosen in (
        [each for each in blocks if _is_python(each.language)],
        [each for each in blocks if not each.language],
    ):
        for kept in (chosen, [each for each in chosen if parses(list(each.lines))]):
            if kept and parses(code := _only(lines, kept)):
                return code, kept
        if chosen and chosen[0].language:
            # Wrong code is reported where it is wrong, not at the words around it.
            return _only(lines, chosen), chosen
    return _before_a_lone_fence(lines, parses)


def _is_python(language: str) -> bool:
    return language.startswith(_PYTHON) or language in ("py", "py3")


def _before_a_lone_fence(lines: list[str], parses: Parses) -> tuple[list[str], list[Block]] | None:
    """Return the code that ends at the first fence: an answer whose opening fence stood in the prompt."""
    end = next((index for index, line in enumerate(lines) if _FENCE.match(line)), None)
    if not end or not "".join(lines[:end]).strip():
        return None
    block = Block(0, tuple(lines[:end]), "")
    code = _only(lines, [block])
    return (code, [block]) if parses(code) else None


def _blocks(lines: list[str], parses: Parses) -> list[Block]:
    found: list[Block] = []
    index, quotes = 0, 0
    while index < len(lines):
        fence = _FENCE.match(lines[index])
        if fence is None or quotes % 2:
            # A fence inside a text of a program, such as a docstring, is none.
            quotes += len(_TEXT_QUOTES.findall(lines[index]))
            index += 1
            continue
        words = fence["language"].strip("{}. ").lower().split()
        language = re.split(r"[,:{]", words[0])[0] if words else ""
        if language in ("markdown", "md"):
            index += 1
            continue
        end = _end(lines, index, fence, parses)
        inside = tuple(_dedented(line, fence["indent"]) for line in lines[index + 1 : end])
        if "".join(inside).strip():
            found.append(Block(index + 1, inside, language))
        index = end + 1
    return found


def _end(lines: list[str], start: int, fence: "re.Match[str]", parses: Parses) -> int:
    """Return the index of the closing fence; one inside a text of the code does not close it."""
    ends = [index for index in range(start + 1, len(lines)) if _closes(lines[index], fence)]
    for end in ends[:8]:
        if parses([_dedented(line, fence["indent"]) for line in lines[start + 1 : end]]):
            return end
    return ends[0] if ends else len(lines)


def _closes(line: str, opening: "re.Match[str]") -> bool:
    fence = _FENCE.match(line)
    return fence is not None and not fence["language"] and fence["marks"].startswith(opening["marks"])


def _dedented(line: str, indent: str) -> str:
    blank = len(line) - len(line.lstrip(" \t"))
    return line[min(blank, len(indent)) :]


def _only(lines: list[str], blocks: Iterable[Block]) -> list[str]:
    """Return as many lines, blank where no block is, so that a line keeps its number."""
    code = [line[len(line.rstrip("\r\n")) :] for line in lines]
    for block in blocks:
        code[block.start : block.start + len(block.lines)] = block.lines
    return code
