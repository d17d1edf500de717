"""Whether what a configuration takes from the hub is in the cache, looked up without network or torch."""

import os
from collections.abc import Iterator
from pathlib import Path

from accsearch.config.hub_cache import hub_cache, snapshot
from accsearch.config.hub_needs import HubNeed, hub_needs
from accsearch.config.saved_pipeline import read_saved
from accsearch.config.schema import Config
from accsearch.doctor.finding import Finding, Severity

_WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.pth")


def check_downloads(config: Config) -> Iterator[Finding]:
    """Yield a finding for each model, data set and scorer of the configuration that comes from the hub."""
    needs = list(hub_needs(config))
    for need in needs:
        lacking = _lacking(need)
        name = "" if need.name == need.repository else f"{need.name}: "
        where = f"{config.name}: {name}{need.repository or 'its weights'}"
        if lacking is None:
            yield Finding(need.part, Severity.OK, f"{where} is in the cache")
        else:
            size = f", about {need.gigabytes} GB" if need.gigabytes else ""
            yield Finding(need.part, Severity.WARNING, f"{where}: {lacking}; the worker downloads it{size}")
    if config.worker.kind == "traversal_search" and not needs:
        yield Finding("hub", Severity.OK, f"{config.name} needs nothing from it")


def _lacking(need: HubNeed) -> str | None:
    """Return what the cache lacks of a repository, None if it is whole."""
    if need.part == "prompts":
        return _lacking_data(need)
    if need.repository is None:
        return "not known to be in the cache, since open_clip does not take it from the hub"
    folder = snapshot(need.repository, need.revision)
    if folder is None:
        return f"not in {hub_cache()}"
    if need.part == "model":
        try:
            read_saved(folder, need.variant)
        except ValueError as error:
            return f"not whole: {error}"
    elif not any(path.is_file() for pattern in _WEIGHTS for path in folder.glob(pattern)):
        return f"{folder} holds no weights"
    return None


def _lacking_data(need: HubNeed) -> str | None:
    """Return what the cache lacks of a data set, which counts once `datasets` has prepared it."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    prepared = Path(os.environ.get("HF_DATASETS_CACHE") or home / "datasets")
    wanted = _plain(need.name.replace("/", "___"))
    for folder in prepared.iterdir() if prepared.is_dir() else ():
        if _plain(folder.name) == wanted and any(folder.rglob("*.arrow")):
            return None
    if snapshot(need.name, need.revision, kind="datasets") is not None:
        return f"downloaded but not prepared in {prepared}"
    return f"not in {prepared}"


def _plain(name: str) -> str:
    """Return a name as it is compared: `datasets` writes CocoCaptions as coco_captions."""
    return name.replace("_", "").replace("-", "").lower()
