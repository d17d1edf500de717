"""Tell a progress bar that no newline has ended from other text before or behind a line of a log."""

import re

LONGEST = 2000
"""Characters of a text that are looked at; a bar is as wide as a terminal."""
_CONTROL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-Za-z]|[=>78DEMc])")
_COUNT = r"[\d.,?]+[A-Za-z]*"
_TIMES = r"\[\d+:\d\d[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\]"
"""`[00:01<00:00, 33.2it/s, shape=[1, 2]]`."""
_TQDM = re.compile(
    rf"\d+(?:\.\d+)?%\|(?:[^|]*\|(?:\s*{_COUNT}/{_COUNT})?(?:\s*{_TIMES})?|\s*[#█▏▎▍▌▋▊▉][\s\d#█▏▎▍▌▋▊▉]*)"
    rf"|{_COUNT}\s{_TIMES}"
)
_TQDM_AT_END = re.compile(rf"(?:{_TQDM.pattern})$")
_SHARE = re.compile(r"\d\s*%|\d+\s*(?:/|of)\s*\d+")
_OTHER_AT_END = re.compile(
    r"[#=━█▓■▰⣿]{3}[#=━█▓■▰⣿╸╺>─▒░□▱. -]*"
    r"(?:[\d\s.,:/%()\[\]<>?|~-]|-\s\w+:\s|it|[kKMGT]?i?B|step|epoch|ETA|eta|Elapsed|Time|in|of|ms|us|µs|s)*$"
)
"""Bars of click, Keras, progressbar2, alive-progress, rich, wget: a run of signs, then figures alone."""


def without_control(text: str) -> str:
    """Return `text` without a terminal's control sequences (colours, cursor movements)."""
    return _CONTROL.sub("", text)


def ends_with_bar(text: str) -> bool:
    """Return whether a progress bar, possibly with a description before it, is the end of `text`."""
    text = text.rstrip()[-LONGEST:]
    if _TQDM_AT_END.search(text):
        return True
    return _SHARE.search(text) is not None and _OTHER_AT_END.search(text) is not None


def is_bar(text: str) -> bool:
    """Return whether `text` is a progress bar of tqdm's and nothing else, not even a description."""
    return len(text) <= LONGEST and _TQDM.fullmatch(text.strip()) is not None
