"""The prompts, the seeds and the scorer of an evaluation."""

import random
import secrets
from dataclasses import dataclass

from accsearch.codeeval.settings import DEMO_QUALITY, Settings
from accsearch.config.models import ModelInfo
from accsearch.config.prompts import DEMO, read_prompts
from accsearch.config.schema import PromptsConfig, QualityConfig
from accsearch.demo import PIPELINES
from accsearch.errors import UsageError
from accsearch.worker.machine import Machine
from accsearch.worker.prompts import load_prompts
from accsearch.worker.quality.scorer import Scorer, load_scorer

COCO = PromptsConfig(dataset="phiyodr/coco2017")
COCO_PROMPTS = 512


@dataclass
class EvaluationInputs:
    """Draws pairs of a prompt and a seed, none of them twice."""

    prompts: list[str]
    scorer: Scorer
    random: random.Random

    def pairs(self, count: int) -> list[tuple[str, int]]:
        """Return `count` new pairs; a seed has 48 random bits, so the file cannot have met it."""
        chosen = [self.random.choice(self.prompts) for _ in range(count)]
        return [self.again(prompt) for prompt in chosen]

    def again(self, prompt: str) -> tuple[str, int]:
        """Return a prompt with a new seed."""
        return prompt, self.random.getrandbits(48)


def draw(model: ModelInfo, settings: Settings, machine: Machine) -> EvaluationInputs:
    """Return the inputs for a model: the demo's own, or what the settings say. Raises UsageError."""
    is_demo = model.model_id in PIPELINES
    quality = QualityConfig()
    if settings.quality is not None:
        quality = QualityConfig(model=settings.quality)
    elif is_demo:
        quality = QualityConfig(model=DEMO_QUALITY)
    seed = settings.seed if settings.seed is not None else secrets.randbits(64)
    return EvaluationInputs(_prompts(settings, is_demo), load_scorer(quality, machine), random.Random(seed))


def _prompts(settings: Settings, is_demo: bool) -> list[str]:
    if settings.prompts is None and not is_demo:
        return load_prompts(COCO, COCO_PROMPTS)
    file = DEMO if settings.prompts is None else settings.prompts
    try:
        lines = read_prompts(file)
    except OSError as error:
        raise UsageError(f"--prompts {file}: {error.strerror}") from error
    except UsageError as error:
        raise UsageError(f"--prompts {error}") from error
    if not lines:
        raise UsageError(f"--prompts {file}: it is empty")
    return lines
