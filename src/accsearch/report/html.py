"""HTML from values: whatever is not marked as HTML is escaped."""

from collections.abc import Iterable, Sequence
from html import escape

_VOID = frozenset({"img", "meta"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, /, *children: object, **attributes: object) -> Html:
    """Return an element; `class_` stands for `class`, `x_y` for `x-y`; None leaves one out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def join(children: Iterable[object]) -> Html:
    """Return the children one after the other, escaped where they are not HTML."""
    return Html("".join(child if isinstance(child, Html) else escape(str(child)) for child in children))


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, numeric: Iterable[int] = ()) -> Html:
    """Return a table that scrolls by itself; columns in `numeric` are set flush right."""
    right = frozenset(numeric)

    def cells(kind: str, values: Sequence[object]) -> Html:
        return tag(
            "tr", *(tag(kind, value, class_="n" if k in right else None) for k, value in enumerate(values))
        )

    body = join(cells("td", row) for row in rows)
    return tag(
        "div",
        tag("table", tag("thead", cells("th", headings)), tag("tbody", body)),
        class_="scroll",
    )
