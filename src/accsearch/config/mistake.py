"""A mistake in a configuration, located by the path of its key."""

import difflib
from collections.abc import Iterable

Path = tuple[str | int, ...]


class Mistake(Exception):
    """What is wrong at `path`; the loader adds the file and the line."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


def dotted(path: Path) -> str:
    """Return `path` as the user would write it: `grid.steps[1]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def nearest(name: str, names: Iterable[str]) -> str:
    """Return `; did you mean X?` for the closest of `names`, or nothing where none is close."""
    by_case = {each.lower(): each for each in names}
    near = difflib.get_close_matches(name.lower(), by_case, n=4, cutoff=0.6)
    if not near:
        return ""
    # Letters in another order are the likelier slip than other letters.
    best = next((each for each in near if sorted(each) == sorted(name.lower())), near[0])
    return f"; did you mean {by_case[best]}?"
