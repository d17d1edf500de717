"""How generated files are evaluated."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

DEMO_QUALITY = "builtin:demo"


@dataclass(frozen=True, slots=True)
class Settings:
    """`images` are made in each of `repeats`; `seed` None draws the prompts and seeds anew for every file.

    `quality` and `prompts` name a scorer and a file of prompts; None takes those of the demo for the demo's
    pipeline, ViT-g-14 and COCO captions for any other.
    """

    repeats: int = 3
    images: int = 2
    timeout: float = 900.0
    isolation: str = "auto"
    device: str = "auto"
    seed: int | None = None
    quality: str | None = None
    prompts: str | None = None

    def arguments(self) -> list[str]:
        """Return the settings as options of the evaluating worker."""
        found: list[str] = []
        for each in fields(self):
            value = getattr(self, each.name)
            if value is not None:
                found += [f"--{each.name}", str(value)]
        return found


MODULE = "accsearch.worker.codeeval"


def command(python: str, arguments: Sequence[str], settings: Settings) -> list[str]:
    """Return the command line of the evaluating worker."""
    return [python, "-P", "-m", MODULE, *arguments, *settings.arguments()]
