"""Write docs/methods.md, the catalogue of methods and what goes with what, from the code.

    python scripts/make_methods_page.py

A test fails when the page is not what this makes.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from accsearch.methods.catalogue import METHODS
from accsearch.methods.cell import Family
from accsearch.methods.compatibility import combines
from accsearch.methods.info import MethodInfo, ParameterInfo
from accsearch.task import Scalar

PAGE = Path(__file__).resolve().parent.parent / "docs" / "methods.md"
FAMILIES: tuple[Family, ...] = get_args(Family)
INTRODUCTION = """\
# Methods

Made by `scripts/make_methods_page.py` from the code; do not edit.

Each method is a key of `methods` in a configuration, each parameter takes a list of values. A trial's id shows the
values after the letters in brackets, as `deepcache-i3-b0`. Exact methods compute what the baseline computes, up to
rounding; the others less.

A parameter that allows quantiles takes `p50` for the value that skips half of the steps of a plain generation: one is
made when such a trial is set up, and the value that follows from it is kept in `results/CONFIG/TASK.calibration.json`.
A number that skips nothing, or all that may be skipped, is named in the first lines of the log. Caches with a threshold
decide for a whole batch at once, so an image of theirs depends on the images beside it.
"""


def page() -> str:
    """Return the whole page."""
    parts = [INTRODUCTION, *(_section(info) for info in METHODS.values()), _families(), _pairs()]
    return "\n".join(parts)


def _section(info: MethodInfo) -> str:
    lines = [
        f"## {info.name}",
        "",
        info.doc,
        "",
        f"{'Exact' if info.exact else 'Approximate'}. {info.paper}.",
        "",
    ]
    if info.package:
        lines += [f"Needs {info.package}: `pip install 'accsearch[{info.extra}]'`.", ""]
    lines += ["| parameter | allowed | default | searched | |", "|---|---|---|---|---|"]
    lines += [_row(info, name, parameter) for name, parameter in info.parameters.items()]
    return "\n".join([*lines, ""])


def _row(info: MethodInfo, name: str, parameter: ParameterInfo) -> str:
    default = _shown(parameter.default)
    for other, paired in info.paired_defaults.items():
        default += f" ({_shown(paired[name])} with {other})" if name in paired else ""
    searched = ", ".join(map(_shown, parameter.searched))
    letter = f" ({parameter.short.strip('-')})" if parameter.short.strip("-") else ""
    return f"| `{name}`{letter} | {parameter.allowed} | {default} | {searched} | {parameter.doc} |"


def _shown(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _families() -> str:
    lines = [
        "## Which pipelines",
        "",
        f"| method | {' | '.join(FAMILIES)} |",
        f"|---|{'---|' * len(FAMILIES)}",
    ]
    for name, info in METHODS.items():
        marks = ("yes" if family in info.supports else "" for family in FAMILIES)
        lines.append(f"| `{name}` | {' | '.join(marks)} |")
    reasons: dict[str, list[str]] = {}
    for info in METHODS.values():
        for family, why in info.unsupported.items():
            reasons.setdefault(f"{family}: {why}", []).append(f"`{info.name}`")
    lines += [
        "",
        "`other` is any class of diffusers that makes images of prompts and has no family of its own.",
        "",
    ]
    lines += [f"- {', '.join(names)} on {why}" for why, names in reasons.items()]
    return "\n".join([*lines, ""])


def _pairs() -> str:
    lines = ["## What does not combine", "", *(f"- {why}" for why in dict.fromkeys(_conflicts())), ""]
    return "\n".join(lines)


def _conflicts() -> Iterator[str]:
    names = list(METHODS)
    for index, one in enumerate(names):
        for other in names[index + 1 :]:
            if "fewer_steps" not in (one, other) and (reason := combines((one, other))):
                yield reason
    yield "fewer_steps is a trial of its own, it combines with no method"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
