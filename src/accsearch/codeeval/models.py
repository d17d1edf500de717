"""The weights that a caged file may read: the demo's, the hub's cache, a local folder that it names."""

import os
from pathlib import Path

from accsearch.codeeval.fields import Fields
from accsearch.codeeval.guest import Models
from accsearch.codeeval.sandbox.scratch import DEMO_ID
from accsearch.config.models import MIRRORS
from accsearch.demo import pipeline_path

NONE = Models({}, ())


def models_of(fields: Fields, beside: Models = NONE) -> Models:
    """Return what a file with these fields may read, and `beside` it."""
    cache = hub_cache()
    by_id = {
        entry.name.removeprefix("models--").replace("--", "/"): entry for entry in cache.glob("models--*")
    }
    for gone, mirror in MIRRORS.items():
        if mirror in by_id:
            by_id.setdefault(gone, by_id[mirror])
    by_id[DEMO_ID] = pipeline_path()
    folder = local_pipeline(fields.model_id)
    local = () if folder is None else (folder,)
    return Models({**by_id, **beside.by_id}, (*local, *beside.folders))


def local_pipeline(model_id: str | None) -> Path | None:
    """Return the absolute folder of a saved pipeline that a model id names, None for anything else.

    A relative one would be looked for in the cage, where it is not.
    """
    if model_id is None or not Path(model_id).is_absolute():
        return None
    folder = Path(model_id)
    return folder.resolve() if (folder / "model_index.json").is_file() else None


def hub_cache() -> Path:
    """Return the folder of the hub's cache."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    return Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
