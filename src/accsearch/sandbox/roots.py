"""What every sandboxed Python needs: itself, its libraries, a few system files and devices, an environment."""

import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from pathlib import Path

import accsearch
from accsearch.cores import PASSIVE, THREADS
from accsearch.gpus.pinning import ORDER, VISIBLE

SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/proc",
    "/sys",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/group",
    "/etc/OpenCL",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/ca-certificates",
    "/etc/alternatives",
)
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
KEPT = (VISIBLE, ORDER, "LD_LIBRARY_PATH", *THREADS, *PASSIVE)
"""The variables that a sandboxed program takes over from the parent's environment."""


def readable(models: Iterable[Path] = ()) -> tuple[str, ...]:
    """Return the paths that a sandboxed Python may read: the system's, Python's, the libraries' and `models`."""
    python = [
        Path(sys.base_prefix),
        Path(sys.base_exec_prefix),
        Path(sys.prefix),
        Path(sys.executable).parent,
    ]
    libraries = [Path(path) for path in (*sysconfig.get_paths().values(), *site.getsitepackages())]
    # The folder that holds the package: site-packages, or the source tree of an editable installation.
    own = Path(accsearch.__file__).resolve().parents[1]
    every = [*(Path(path) for path in SYSTEM), *python, *libraries, own, *models]
    wanted = dict.fromkeys(str(path.absolute()) for path in every if path.exists())
    # A root of `/` would be everything; what is below another root needs no mention.
    return tuple(path for path in wanted if path != "/" and not _below(path, wanted))


def devices() -> tuple[str, ...]:
    """Return the device files that any program may use: null, zero, full and random numbers."""
    return tuple(path for path in DEVICES if Path(path).exists())


def environment(scratch: Path, extra: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the sandboxed program's whole environment."""
    home = str(scratch / "home")
    values = {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "USER": "sandbox",
        "LOGNAME": "sandbox",
        "TMPDIR": str(scratch / "tmp"),
        "LANG": "C.UTF-8",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "TQDM_DISABLE": "1",
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        **extra,
    }
    return tuple(values.items())


def _below(path: str, others: Iterable[str]) -> bool:
    return any(path != other and Path(path).is_relative_to(other) for other in others)
