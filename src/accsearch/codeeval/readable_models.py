"""The models that a sandboxed file and its baseline may read: the demos', the hub cache's, a local folder."""

import json
from pathlib import Path

from accsearch.codeeval.fields import Fields
from accsearch.config.hub_cache import hub_cache, snapshot
from accsearch.config.models import ALIASES, BUILTIN, MIRRORS, ModelInfo
from accsearch.demo import PIPELINES
from accsearch.sandbox.client import ReadableModels, Refused

NONE = ReadableModels({}, ())
DEMO_IDS = {model_id.replace(BUILTIN, "accsearch/"): model_id for model_id in PIPELINES}
"""Hub id by which generated code names an embedded pipeline → its model id."""
KNOWN = frozenset(info.model_id for info in ALIASES.values())


def models_of(fields: Fields, others: ReadableModels = NONE) -> ReadableModels:
    """Return the models that a file with these fields may read, with those of `others`."""
    cache = hub_cache()
    by_id = {
        entry.name.removeprefix("models--").replace("--", "/"): entry for entry in cache.glob("models--*")
    }
    for gone, mirror in MIRRORS.items():
        if mirror in by_id:
            by_id.setdefault(gone, by_id[mirror])
    by_id |= {hub_id: PIPELINES[model_id] for hub_id, model_id in DEMO_IDS.items()}
    folder = local_pipeline(fields.model_id)
    local = () if folder is None else (folder,)
    return ReadableModels({**by_id, **others.by_id}, (*local, *others.folders))


def local_pipeline(model_id: str | None) -> Path | None:
    """Return the absolute folder of a saved pipeline that a model id names, None for anything else.

    A relative one would be looked for in the sandbox, where it is not.
    """
    if model_id is None or not Path(model_id).is_absolute():
        return None
    folder = Path(model_id)
    try:
        return folder.resolve() if (folder / "model_index.json").is_file() else None
    except OSError:
        # A name too long for a path, or a folder that is not ours to read.
        return None


def offline(model: ModelInfo) -> ModelInfo:
    """Return a model that is loaded without the hub, or one of the registry, which may come from there.

    Nothing is downloaded because a generated file names it. Raises Refused for a model that is not here.
    """
    if model.model_id.startswith(BUILTIN) or model.model_id in KNOWN or Path(model.model_id).is_absolute():
        return model
    folder = snapshot(model.model_id)
    if folder is None:
        raise Refused("invalid", f"{model.model_id} is neither in the registry nor in the hub's cache")
    return model.model_copy(update={"model_id": str(folder), "revision": None})


def saved_scheduler(model: ModelInfo) -> str:
    """Return the class of the scheduler that a model was saved with. Raises Refused."""
    folder = PIPELINES.get(model.model_id, Path(model.model_id))
    if not folder.is_absolute():
        folder = snapshot(model.model_id) or folder
    try:
        index = json.loads((folder / "model_index.json").read_bytes())
        return str(index["scheduler"][1])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        raise Refused(
            "invalid", f"the scheduler of {model.model_id} is unknown: its weights are not here"
        ) from None
