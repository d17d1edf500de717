"""What a sandboxed program may use: limits and paths, as the parent gives them to the launcher."""

import json
import os
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

MIB = 1 << 20
GIB = 1 << 30


class Level(StrEnum):
    """How the sandbox is built, strongest first; `none` has limits alone."""

    LANDLOCK = "landlock"
    BUBBLEWRAP = "bubblewrap"
    UNSHARE = "unshare"
    NONE = "none"


def _most_resident() -> int:
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(64 * GIB, machine * 3 // 4)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds in seconds and bytes; `processes` also bounds what the kernel lets the program start.

    `cpu_seconds` None is what all cores can give in `wall_seconds`. `memory` is the address space of one process,
    None where CUDA reserves more than any bound; `resident` is what all processes together hold in memory.
    """

    wall_seconds: float = 900.0
    cpu_seconds: int | None = None
    memory: int | None = 16 * GIB
    resident: int = field(default_factory=_most_resident)
    processes: int = 64
    threads: int = 512
    open_files: int = 1024
    file_bytes: int = 512 * MIB
    scratch_bytes: int = GIB


@dataclass(frozen=True, slots=True)
class Rules:
    """The sandbox of one program; every path exists, and `scratch` is the only place it may write to."""

    level: Level
    scratch: str
    readable: tuple[str, ...]
    devices: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    limits: Limits = Limits()

    def to_json(self) -> str:
        """Return the rules as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Rules":
        """Read what `to_json` wrote."""
        value = json.loads(text)
        return cls(
            level=Level(value["level"]),
            scratch=value["scratch"],
            readable=tuple(value["readable"]),
            devices=tuple(value["devices"]),
            environment=tuple((name, content) for name, content in value["environment"]),
            limits=Limits(**value["limits"]),
        )

    def hides(self, path: Path) -> bool:
        """Say whether `path` is outside of everything that the program may read."""
        return self.root_of(path) is None

    def root_of(self, path: Path) -> str | None:
        """Return the readable path that `path` is, or lies below; None if there is none."""
        real = path.resolve()
        roots = (*self.readable, self.scratch)
        return next((root for root in roots if real.is_relative_to(Path(root).resolve())), None)
