"""What the hub's client has downloaded, found without asking the hub."""

import os
import re
from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{40}")


def hub_cache() -> Path:
    """Return the folder of the hub's cache."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    return Path(os.environ.get("HF_HUB_CACHE") or home / "hub")


def snapshot(model_id: str, revision: str | None = None, *, kind: str = "models") -> Path | None:
    """Return the folder of a hub model's revision (default: main) in the cache, None if it is not there.

    `kind` is `models` or `datasets`.
    """
    wanted = revision or "main"
    try:
        entry = hub_cache() / (f"{kind}--" + model_id.replace("/", "--"))
        reference = entry / "refs" / wanted
        commit = wanted if _COMMIT.fullmatch(wanted) else reference.read_text(encoding="ascii").strip()
        folder = entry / "snapshots" / commit
        return folder if commit and folder.is_dir() else None
    except (OSError, ValueError, RuntimeError):
        # No such reference, a name no path can have, or no home folder.
        return None
