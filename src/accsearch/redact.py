"""Keep tokens out of logs, markers and reports."""

import os
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

_SECRET_NAME = re.compile(
    r"(TOKEN(?!IZ)|SECRET|PASSWORD|PASSWD|API[_-]?KEY|ACCESS[_-]?KEY|CREDENTIAL)", re.IGNORECASE
)
_TOKEN_SHAPE = re.compile(
    r"\b(hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{30,}|sk-[A-Za-z0-9_-]{20,}|AKIA[0-9A-Z]{16})\b"
)
MASK = "[redacted]"
SHORTEST = 8
"""Characters of a secret; masking every occurrence of a shorter text would spoil logs."""


def secrets_of(environment: Mapping[str, str] = os.environ, command: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the values of secret-looking variables and options (`--api-key X`, `--token=X`), longest first."""
    named = [*environment.items(), *pairwise(command), *(word.partition("=")[::2] for word in command)]
    values = {value for name, value in named if len(value) >= SHORTEST and _SECRET_NAME.search(name)}
    return tuple(sorted(values, key=len, reverse=True))


def redact(text: str, secrets: tuple[str, ...]) -> str:
    """Replace known secrets, and anything of a well-known token shape, by a mask."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return _TOKEN_SHAPE.sub(MASK, text)
