"""Validators of single fields; each error says what is allowed."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

CONFIG_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")
AXIS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
ABSOLUTE = re.compile(r"/.*")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

T = TypeVar("T")


def matching(pattern: re.Pattern[str], allowed: str) -> Callable[[str], str]:
    """Return a validator of texts that `pattern` must match whole."""

    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            parts = [part.strip() for part in text.split(",")]
            several = len(parts) > 1 and all(map(pattern.fullmatch, parts))
            hint = f"; did you mean [{', '.join(parts)}]?" if several else ""
            raise ValueError(f"{text!r} is not a valid name here (allowed {allowed}{hint})")
        return text

    return check


def regular_expression(text: str) -> str:
    """Return `text` if it compiles as a multi-line regular expression."""
    try:
        re.compile(text, re.MULTILINE)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error
    return text


def as_list(value: Any) -> Any:
    """Let a single value stand for the list of it."""
    return (value,) if isinstance(value, str | int | float) else value


def parsed(parse: Callable[[object], T]) -> Callable[[object], T]:
    """Return a validator that parses a value with a unit."""

    def check(value: object) -> T:
        try:
            return parse(value)
        except ValueError as error:
            raise ValueError(f"{value!r} is not one ({error})") from error

    return check
