"""Python and the packages of the worker, seen without importing any of them."""

import importlib.util
import os
import re
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from accsearch.config.compilers import missing_compiler
from accsearch.doctor.finding import Finding, Severity

WORKER_PACKAGES = ("torch", "torchvision", "diffusers", "transformers", "open_clip_torch", "datasets")
METHOD_PACKAGES = ("DeepCache", "tomesd", "tgate")
INSTALL = "in a checkout of accsearch: pip install '.[worker]'"


def check_packages(environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Look at Python, the worker's packages, the compiler that torch.compile calls, and the hub's token."""
    yield Finding("python", Severity.OK, f"{sys.version.split()[0]} ({sys.executable})")
    for names, without in (
        (WORKER_PACKAGES, "traversal_search tasks cannot run"),
        (METHOD_PACKAGES, "`methods.implementation: package` cannot be used"),
    ):
        versions = {name: version_of(name) for name in names}
        present = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
        absent = ", ".join(name for name, version in versions.items() if not version)
        if absent:
            yield Finding("packages", Severity.WARNING, f"no {absent}: {without}; {INSTALL}")
        if present:
            yield Finding("packages", Severity.OK, present)
    device = "cuda" if torch_cuda() else "cpu"
    if version_of("torch") is not None and (lacking := missing_compiler(device, {}, environment)):
        yield Finding("compiler", Severity.NOTE, f"{lacking}: trials of the method compile will fail")
    yield _hub_token(environment)


def version_of(package: str) -> str | None:
    """Return the installed version of a distribution, None if it is absent."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def torch_cuda() -> str | None:
    """Return the CUDA version that torch was built for, as `12.8`; None for a CPU build or no torch.

    Read from torch's own version file, since importing torch takes seconds.
    """
    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:
        return None
    try:
        text = Path(found.origin).with_name("version.py").read_text()
    except OSError:
        return None
    match = re.search(r"^cuda\b[^=\n]*=\s*['\"]([\d.]+)['\"]", text, re.MULTILINE)
    return match[1] if match else None


def _hub_token(environment: Mapping[str, str]) -> Finding:
    if environment.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
        return Finding(
            "hub", Severity.NOTE, "HF_HUB_OFFLINE is set: only models already downloaded can be used"
        )
    home = environment.get("HF_HOME") or "~/.cache/huggingface"
    if environment.get("HF_TOKEN"):
        return Finding("hub", Severity.OK, "a token is in HF_TOKEN (its value is never shown or logged)")
    if Path(home, "token").expanduser().is_file():
        return Finding("hub", Severity.OK, f"a token is in {home}/token (its value is never shown or logged)")
    return Finding("hub", Severity.NOTE, "no token: models behind a licence cannot be downloaded")
