"""The prompts of a file, and the fingerprint of prompts, by content where they are on this machine."""

import codecs
import hashlib
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from accsearch.config.fingerprint import file_fingerprint, folder_fingerprint
from accsearch.demo import captions_path
from accsearch.errors import UsageError

if TYPE_CHECKING:
    from accsearch.config.schema import Config, PromptsConfig

DEMO = "builtin:demo"
_JOINERS = "\u200c\u200d"
"""Zero-width (non-)joiners, which emoji and Persian or Indic words need between two visible characters."""
_BLANK = "\u034f\u115f\u1160\u2800\u3164\uffa0\ufffc"
"""Characters that count as letters, marks or signs, and show nothing."""
_LOST = "\ufffd"
_NAMES = {"\0": "NULL", "\r": "CARRIAGE RETURN", "\x85": "NEXT LINE", "\ufeff": "BYTE ORDER MARK"}
_WIDE = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def prompts_fingerprint(config: "Config") -> str:
    """Return 16 hexadecimal digits that change with the prompts, as they were when the configuration was loaded."""
    return config.facts.prompts or source_fingerprint(config.prompts)


def source_fingerprint(prompts: "PromptsConfig") -> str:
    """Return the fingerprint of a file's or local data set's content, of a hub data set's name and revision.

    Raises OSError where a file cannot be read.
    """
    if prompts.file is not None:
        return file_fingerprint(prompts_path(prompts.file))
    where = Path(str(prompts.dataset))
    content = folder_fingerprint(where) if where.is_dir() else str(prompts.dataset)
    facts = "\0".join((content, prompts.split, prompts.column, prompts.revision or "main"))
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


def prompts_path(file: str) -> Path:
    """Return the path that `prompts.file` stands for."""
    return captions_path() if file == DEMO else Path(file)


def read_prompts(file: str, count: int | None = None) -> list[str]:
    """Return the lines of a UTF-8 prompts file that are not blank, all of them or the first `count`.

    Raises OSError, or UsageError where the file is not UTF-8 or one of these lines is not plain text.
    """
    prompts: list[str] = []
    for number, line in enumerate(_lines(file, prompts_path(file).read_bytes()), 1):
        text = line.strip()
        if not text:
            continue
        if len(prompts) == count:
            break
        if why := unreadable(text):
            raise UsageError(f"{file}:{number}: {why}: take it out, since it changes the image and its score")
        prompts.append(text)
    return prompts


def repetitions(prompts: Sequence[str]) -> str | None:
    """Return how many of the prompts repeat an earlier one, in words; None where none does."""
    repeated = len(prompts) - len(set(prompts))
    return f"{repeated} of {len(prompts)} prompts repeat an earlier one" if repeated else None


def unreadable(text: str) -> str | None:
    """Return what is in a prompt that nobody sees but a text encoder reads, or that it shows nothing; else None."""
    if not text.isprintable():
        for place, letter in enumerate(text):
            if _is_hidden(letter) and not _joins(text, place):
                return f"the prompt holds {_named(letter)}"
    if _LOST in text:
        return f"the prompt holds {_named(_LOST)}, which stands for lost characters"
    if all(letter in _BLANK or unicodedata.category(letter)[0] not in "LNPS" for letter in text):
        return "the prompt shows nothing"
    return None


def _lines(file: str, raw: bytes) -> list[str]:
    if raw.startswith(_WIDE):
        raise UsageError(f"{file}: is UTF-16 or UTF-32 text (allowed UTF-8: save it as such)")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{file}:{line}: is not UTF-8 text (byte 0x{raw[error.start]:02x})") from error
    text = text.replace("\r\n", "\n")
    # Not str.splitlines, for which a prompt also ends at a form feed or U+2028.
    return text.split("\n") if "\n" in text else text.split("\r")


def _is_hidden(letter: str) -> bool:
    """Say whether a character is a control, format, line separator or surrogate character, but no tab."""
    return letter != "\t" and unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _joins(text: str, place: int) -> bool:
    """Say whether the character at `place` joins two visible ones, or is a tag of an emoji flag."""
    if "\U000e0020" <= text[place] <= "\U000e007f":
        return "\U0001f3f4" in text[:place]
    if text[place] not in _JOINERS:
        return False
    around = text[max(0, place - 1) : place], text[place + 1 : place + 2]
    return all(each and not each.isspace() and not _is_hidden(each) for each in around)


def _named(letter: str) -> str:
    name = _NAMES.get(letter) or unicodedata.name(letter, "a control character")
    return f"U+{ord(letter):04X} ({name})"
