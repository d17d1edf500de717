"""docs/methods.md is what its script makes of the code."""

import importlib.util
from pathlib import Path

from accsearch.methods.catalogue import METHODS

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_methods_is_current() -> None:
    spec = importlib.util.spec_from_file_location("methods_page", ROOT / "scripts" / "make_methods_page.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    written = script.PAGE.read_text(encoding="utf-8")

    assert written == script.page(), "run scripts/make_methods_page.py"
    for name, info in METHODS.items():
        assert f"## {name}\n" in written
        for parameter in info.parameters:
            assert f"| `{parameter}`" in written
