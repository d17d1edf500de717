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
