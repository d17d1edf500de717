"""Imports of a worker are not held up."""

import gc
import importlib.metadata

import pytest

from accsearch.worker.imports import collect_again, hasten_imports


def test_imports_collect_nothing_and_look_up_the_installed_packages_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = importlib.metadata.packages_distributions
    monkeypatch.setattr(importlib.metadata, "packages_distributions", usual)

    hasten_imports()

    collects = gc.isenabled()
    collect_again()
    assert (collects, gc.isenabled()) == (False, True)
    first = importlib.metadata.packages_distributions()
    assert first == usual()
    assert importlib.metadata.packages_distributions() is first
