"""docs/configuration.md names every key and every method parameter."""

from pathlib import Path
from typing import get_args

from pydantic import BaseModel

from accsearch.config.schema import Config
from accsearch.methods.catalogue import METHODS

REFERENCE = Path("docs/configuration.md").read_text(encoding="utf-8")


def test_every_key_is_in_the_reference() -> None:
    sections = {
        name: each
        for name, field in Config.model_fields.items()
        for each in (field.annotation, *get_args(field.annotation))
        if isinstance(each, type) and issubclass(each, BaseModel) and name != "facts"
    }
    assert {"worker", "prompts", "quality", "search", "gpus", "retry", "cluster"} == sections.keys()
    for name, section in sections.items():
        for key in section.model_fields:
            assert f"`{key}`" in REFERENCE or f"`{name}.{key}`" in REFERENCE, f"{name}.{key}"


def test_every_method_is_in_the_reference() -> None:
    # Their parameters and defaults are in docs/methods.md, which is made from the code.
    for method in METHODS:
        assert f"`{method}`" in REFERENCE
