"""Compile the stand-in NVML library, once a process for each set of functions that it lacks."""

import atexit
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).with_name("libnvidia-ml.c")


@cache
def library_folder(missing: frozenset[str] = frozenset()) -> Path:
    """Return a folder that holds a `libnvidia-ml.so.1` without the functions in `missing`."""
    source = SOURCE.read_text()
    names = set(re.findall(r"^EXPORT .*?(nvml\w+)\(", source, re.MULTILINE))
    if unknown := missing - names:
        raise ValueError(f"the stand-in has no {', '.join(sorted(unknown))}")
    folder = Path(tempfile.mkdtemp(prefix="accsearch-standin-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    exports = folder / "exports"
    listing = " ".join(f"{name};" for name in sorted(names - missing))
    exports.write_text(f"{{ global: {listing} local: *; }};\n")
    flags = ["-std=gnu11", "-O1", "-shared", "-fPIC", f"-Wl,--version-script={exports}"]
    subprocess.run(["cc", *flags, "-o", folder / "libnvidia-ml.so.1", SOURCE], check=True)
    return folder
