"""The package versions that a result was measured with."""

import functools
import platform
from collections.abc import Mapping
from importlib import metadata
from types import MappingProxyType

PACKAGES = (
    "accsearch",
    "torch",
    "diffusers",
    "transformers",
    "accelerate",
    "DeepCache",
    "tomesd",
    "tgate",
    "torchao",
    "cache-dit",
    "open_clip_torch",
    "safetensors",
)


@functools.cache
def installed_versions() -> Mapping[str, str]:
    """Return package → version of what is installed, Python included, without importing any of it."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return MappingProxyType(found)


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Return `torch 2.12.0 -> 2.13.0, …`, or an empty text where nothing changed."""
    names = sorted(before.keys() | now.keys())
    return ", ".join(
        f"{name} {before.get(name, 'absent')} -> {now.get(name, 'absent')}"
        for name in names
        if before.get(name) != now.get(name)
    )
