"""SVG elements from values: whatever is not marked as markup is escaped."""

from markupsafe import Markup, escape


def element(name: str, /, *children: str, **attributes: object) -> Markup:
    """Return an element; the attribute `class_` stands for `class`, `x_y` for `x-y`; None leaves one out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{written}>{Markup().join(children)}</{name}>")


def line(x1: float, x2: float, y1: float, y2: float, class_: str) -> Markup:
    """Return a straight line from (x1, y1) to (x2, y2)."""
    return element("line", x1=x1, x2=x2, y1=y1, y2=y2, class_=class_)


def label(text: str, x: float, y: float, class_: str, anchor: str | None = None, **more: object) -> Markup:
    """Return text that begins at x, or whose `anchor` (middle, end) is there."""
    return element("text", text, x=x, y=y, class_=class_, text_anchor=anchor, **more)
