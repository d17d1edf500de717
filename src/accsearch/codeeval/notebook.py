"""The code of a notebook file."""

import json
from typing import Any


def notebook_cells(text: str) -> list[str] | None:
    """Return the code of each cell of a notebook file in order, None for any other text."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    cells = document.get("cells") if isinstance(document, dict) and "nbformat" in document else None
    if not isinstance(cells, list):
        return None
    return [_source(cell) for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    lines = source if isinstance(source, list) else [source]
    return "".join(line for line in lines if isinstance(line, str))
