"""One thing that was looked at, and what came of it."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """OK and NOTE need nothing, WARNING limits what can be done, ERROR is unsound storage."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one subject, in one line."""

    subject: str
    level: Severity
    text: str
