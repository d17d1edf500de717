"""Keep tokens out of logs, markers and reports."""

import os
import re
from collections.abc import Mapping

_SECRET_NAME = re.compile(r"(TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|ACCESS_?KEY|CREDENTIAL)", re.IGNORECASE)
_TOKEN_SHAPE = re.compile(
    r"\b(hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{30,}|sk-[A-Za-z0-9_-]{20,}|AKIA[0-9A-Z]{16})\b"
)
MASK = "[redacted]"


def secrets_of(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return the values of the environment's secret-looking variables, longest first."""
    values = {v for k, v in environment.items() if _SECRET_NAME.search(k) and len(v) >= 8}
    return tuple(sorted(values, key=len, reverse=True))


def redact(text: str, secrets: tuple[str, ...]) -> str:
    """Replace known secrets, and anything of a well-known token shape, by a mask."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return _TOKEN_SHAPE.sub(MASK, text)
