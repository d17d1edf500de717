"""The one folder that a sandboxed program may write to, gone when the sandbox is."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

REVISION = "0" * 40
LEAST = 4096


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield a new folder with a home, a place for temporary files and an empty model cache."""
    folder = Path(tempfile.mkdtemp(prefix="accsearch-sandbox-")).resolve()
    try:
        scratch = folder / "scratch"
        for name in ("home", "tmp", "hub"):
            (scratch / name).mkdir(parents=True)
        # Compilers ask by access(2) for their temporary folder, which looks at the way to it without privileges.
        folder.chmod(0o711)
        scratch.chmod(0o700)
        # Where the level `unshare` builds its root.
        (folder / "scratch.root").mkdir()
        yield scratch
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def link_models(scratch: Path, folders: Mapping[str, Path]) -> None:
    """Make `from_pretrained(hub id)` find each folder: a saved pipeline, or a model's in a hub cache."""
    for model_id, folder in folders.items():
        entry = scratch / "hub" / ("models--" + model_id.replace("/", "--"))
        if (folder / "snapshots").is_dir():
            entry.symlink_to(folder)
            continue
        (entry / "refs").mkdir(parents=True)
        (entry / "refs" / "main").write_text(REVISION, encoding="ascii")
        (entry / "snapshots").mkdir()
        (entry / "snapshots" / REVISION).symlink_to(folder)


def size_of(folder: Path, limit: int) -> int:
    """Return the bytes that the files in `folder` hold on disk; stops counting beyond `limit`.

    An empty one counts too: a million of them would fill a disk, and keep this busy.
    """
    total = 0
    pending = [folder]
    while pending and total <= limit:
        try:
            for path in pending.pop().iterdir():
                status = path.lstat()
                total += max(status.st_blocks * 512, LEAST)
                if path.is_dir() and not path.is_symlink():
                    pending.append(path)
        except OSError:
            # It was removed while we looked.
            continue
    return total
