"""Each family's tiny pipeline with its prompts."""

from typing import Any

import pytest
from tests.worker.large_families import LARGE, build
from tests.worker.methods.transformers import TinyTask


@pytest.fixture(scope="module")
def tasks(tiny_transformers: dict[str, Any], tiny_pipelines: dict[str, Any]) -> dict[str, TinyTask]:
    """A task of every family, by the family."""
    large = {family: build(family) for family in LARGE}
    every = {**tiny_transformers, **large, "sd": tiny_pipelines["sd"]}
    return {family: TinyTask(family, pipeline) for family, pipeline in every.items()}
