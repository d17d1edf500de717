"""A mistake in a configuration, located by the path of its key."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Found = TypeVar("Found")
Path = tuple[str | int, ...]


class Mistake(Exception):
    """What is wrong at `path`; the loader adds the file and the line."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


class Mistakes(Exception):
    """All that was found wrong in one configuration, in the order of the checks."""

    def __init__(self, found: Iterable[Mistake]) -> None:
        self.found = tuple(found)
        super().__init__("; ".join(each.message for each in self.found))


class Findings:
    """Collects mistakes to report all at once; of those about one key the first counts."""

    def __init__(self) -> None:
        self._found: dict[Path, Mistake] = {}
        self._closed: set[str | int] = set()

    def add(self, mistakes: Iterable[Mistake]) -> None:
        """Add mistakes, except those about a key that has one already, or about a part of it."""
        for mistake in mistakes:
            follows = any(mistake.path[: len(path)] == path for path in self._found)
            if not follows and mistake.path[0] not in self._closed:
                self._found[mistake.path] = mistake

    def about(self, path: Path) -> bool:
        """Say whether something at `path` or below it is wrong."""
        return any(each[: len(path)] == path for each in self._found)

    def close(self, sections: Iterable[str]) -> None:
        """Add no more mistakes of those `sections` that have one, since their keys are checked together."""
        self._closed |= {section for section in sections if self.about((section,))}

    def of(self, check: Callable[Given, Found], *args: Given.args, **kwargs: Given.kwargs) -> Found | None:
        """Return what `check` returns, None where it raises a Mistake, which is added."""
        try:
            return check(*args, **kwargs)
        except Mistake as mistake:
            self.add([mistake])
            return None

    def __iter__(self) -> Iterator[Mistake]:
        return iter(self._found.values())

    def __bool__(self) -> bool:
        return bool(self._found)

    def raise_any(self) -> None:
        """Raise Mistakes where something is wrong."""
        if self._found:
            raise Mistakes(self._found.values())


def dotted(path: Path) -> str:
    """Return `path` as the user would write it: `grid.steps[1]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


SYNONYMS: Mapping[str, str] = {
    "fp16": "float16",
    "half": "float16",
    "f16": "float16",
    "torch.float16": "float16",
    "bf16": "bfloat16",
    "torch.bfloat16": "bfloat16",
    "fp32": "float32",
    "float": "float32",
    "f32": "float32",
    "full": "float32",
    "torch.float32": "float32",
    "gpu": "cuda",
    "cuda:0": "cuda",
}
"""What people write for a value that has another name here."""


def nearest(name: str, names: Iterable[str]) -> str:
    """Return `; did you mean X?` for the closest of `names`, or nothing where none is close."""
    names = list(names)
    if (meant := SYNONYMS.get(name.lower())) in names:
        return f"; did you mean {meant}?"
    by_case = {each.lower(): each for each in names}
    near = difflib.get_close_matches(name.lower(), by_case, n=4, cutoff=0.6)
    if not near:
        return ""
    # Letters in another order are the likelier slip than other letters.
    best = next((each for each in near if sorted(each) == sorted(name.lower())), near[0])
    return f"; did you mean {by_case[best]}?"
