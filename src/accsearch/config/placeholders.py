"""Placeholders in the texts of a command worker: `{axis}`, `{task}`, `{config}`; `{{` and `}}` are braces."""

import re
from collections.abc import Iterable, Mapping

from accsearch.config.mistake import nearest

RESERVED = ("task", "config", "workdir")
"""Names that are no axes: the task's id, the configuration's name, the absolute work directory."""

_PART = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]*)\}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return `text` with each `{name}` replaced by its value, once: a value is never looked into."""

    def replacement(match: re.Match[str]) -> str:
        name = match.group(1)
        return match.group(0)[0] if name is None else values[name]

    return _PART.sub(replacement, text)


def unknown_placeholder(text: str, names: Iterable[str]) -> str | None:
    """Return what is wrong with the first placeholder of `text` that is none of `names`, or None."""
    allowed = list(names)
    for match in _PART.finditer(text):
        name = match.group(1)
        if name is not None and name not in allowed:
            shown = ", ".join(f"{{{each}}}" for each in allowed)
            hint = nearest(name, allowed)
            return f"unknown placeholder {{{name}}} (allowed {shown}; {{{{ and }}}} for braces{hint})"
    return None
