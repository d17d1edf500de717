"""The standard streams: usable whatever whoever started this program did to them."""

import codecs
import os
import sys

READABLE = "accsearch.readable"
"""Name of the error handler that the standard output and error have."""


def open_streams() -> None:
    """Put /dev/null in the place of streams that are closed, and let every text be written to the others.

    Without it the next file to be opened would become standard output. A path that is not UTF-8 is written as the
    bytes that it is, a sign that the terminal's encoding lacks as its escape.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - as long as we live
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    codecs.register_error(READABLE, _readable)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=READABLE)


def drop_stdout() -> None:
    """Let what is still to be written to standard output go nowhere: it cannot be written."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    os.close(devnull)


def _readable(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    piece = error.object[error.start : error.end]
    try:
        return piece.encode("ascii", "surrogateescape"), error.end
    except UnicodeEncodeError:
        return piece.encode("ascii", "backslashreplace"), error.end
