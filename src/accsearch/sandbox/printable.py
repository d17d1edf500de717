"""Text that generated code decides, made fit to be printed."""

MAX_SHOWN = 500


def printable(value: object) -> str:
    """Return `value` as one line of at most 500 characters, none of them a control character.

    Line ends, escape sequences, marks that turn the direction of writing and lone surrogates are written out,
    so that no text can look like another line of the report.
    """
    text = str(value)
    shown = text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in shown
    )
