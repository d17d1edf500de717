"""What went wrong in a generated file, in one line."""

import traceback

LENGTH = 400


class WrongPipe(Exception):
    """The file has no `pipe`, or one that cannot be measured."""


def described(error: BaseException, file: str) -> str:
    """Return `Type: message (line n)`, the line being the last one of the generated file itself."""
    if isinstance(error, WrongPipe):
        return str(error)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    place = f" (line {lines[-1]})" if lines else ""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:LENGTH] + place


def verdict(error: BaseException) -> str:
    """Return the verdict that an error amounts to."""
    return "invalid" if isinstance(error, WrongPipe) else "failed"
