"""Keep the folder in which a program was started off the path of its imports."""

import os
import sys


def leave_off_path() -> None:
    """Undo what `python -m` does to `sys.path`: a user's `random.py` or `datasets/` is not what we import.

    Called before anything else is imported. A folder that PYTHONPATH names stays.
    """
    if not sys.flags.safe_path and sys.path and sys.path[0] == os.getcwd():  # noqa: PTH109 - pathlib is an import
        del sys.path[0]
