"""A stand-in for accsearch's worker that is started as a program or forked, as the real one is, and loads no torch."""

from pathlib import Path

LIBRARIES = ("accsearch.worker.run", "diffusers", "open_clip", "torchmetrics.functional.image")
_START = f"""
if "accsearch.worker" in sys.orig_argv:
    main(sys.orig_argv[sys.orig_argv.index("accsearch.worker") + 1 :])
    sys.stdout.flush()
    os._exit(0)
elif "accsearch.worker.warm" in sys.orig_argv:
    from types import ModuleType

    for name in {LIBRARIES}:
        sys.modules.setdefault(name, ModuleType(name))
    sys.modules["accsearch.worker.main"] = ModuleType("accsearch.worker.main")
    sys.modules["accsearch.worker.main"].main = main
"""


def write_worker(folder: Path, code: str) -> Path:
    """Make `folder`, for PYTHONPATH; `code` defines `main`, which takes a worker's arguments and does its work."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(f"import os, sys\n{code}\n{_START}")
    return folder
