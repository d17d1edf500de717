"""A process looks at the installed packages once."""

import importlib.metadata

import pytest

from accsearch.worker.package_list import share_package_list


def test_the_installed_packages_are_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = importlib.metadata.packages_distributions
    monkeypatch.setattr(importlib.metadata, "packages_distributions", usual)

    share_package_list()

    first = importlib.metadata.packages_distributions()
    assert first == usual()
    assert importlib.metadata.packages_distributions() is first
