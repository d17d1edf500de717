"""Stage 5: judge the exported pipeline on held-out captions, against thresholds set before training."""

import json
import tempfile
from pathlib import Path
from typing import Any

import open_clip
import torch
from torch import Tensor
from torch.nn import functional

from accsearch.demo.rendering import Renderer
from accsearch.demo.scenes import ALL_PAIRS, HELD_OUT_PAIRS, SceneSpace, caption
from demo_training.drawing import VARIANTS, draw, write_grid
from demo_training.export import write_scorer
from demo_training.models import make_tokenizer
from demo_training.speed import seconds_per_image
from demo_training.stage import Options

IMAGES_OF_EACH_KIND = 256
IMAGES_OF_A_VARIANT = 256
CHOICES = 16
GRID_IMAGES = 16
KINDS = ("one_object", "two_objects")
ACCEPTANCE = Path(__file__).with_name("acceptance.json")


class Judge:
    """An open_clip model that compares images with scenes' captions."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        self.device = device
        name = f"local-dir:{folder}"
        self.model, _, _ = open_clip.create_model_and_transforms(name, device=device)
        self.model.eval()
        self.tokenizer = open_clip.get_tokenizer(name)

    @torch.inference_mode()
    def images(self, images: Tensor) -> Tensor:
        """Return unit features (count, width) of images in [0, 1]."""
        features: Tensor = self.model.encode_image((images * 2 - 1).to(self.device), normalize=True)
        return features.cpu()

    @torch.inference_mode()
    def texts(self, captions: list[str]) -> Tensor:
        """Return unit features (count, width) of captions."""
        features: Tensor = self.model.encode_text(self.tokenizer(captions).to(self.device), normalize=True)
        return features.cpu()

    def accuracy(self, images: Tensor, choices: list[list[str]]) -> float:
        """Return how often an image's first caption is the one that fits it best of its choices."""
        flat = self.texts([text for row in choices for text in row])
        features = flat.view(len(choices), len(choices[0]), -1)
        similarity = torch.einsum("if,icf->ic", self.images(images), features)
        return float((similarity.argmax(dim=1) == 0).float().mean())


def evaluate(options: Options) -> None:
    """Write evaluation.json and grid.png to the stage's folder."""
    tokenizer = make_tokenizer()
    pipeline = options.package / "pipeline"
    judges = {"scorer": Judge(options.package / "scorer", options.device)}
    if options.load("judge") is not None:
        with tempfile.TemporaryDirectory() as folder:
            write_scorer(Path(folder), options, "judge", tokenizer)
            judges["judge"] = Judge(Path(folder), options.device)
    torch.manual_seed(options.seed + 2)
    count = options.scaled(IMAGES_OF_EACH_KIND, least=1)
    space = SceneSpace(HELD_OUT_PAIRS, tokenizer, torch.device("cpu"))
    accuracy: dict[str, Any] = {}
    drawn: dict[str, tuple[list[str], Tensor]] = {}
    for kind in KINDS:
        scenes = space.sample(count, two=kind == "two_objects")
        random, near = choices(space, scenes), near_choices(scenes, tokenizer)
        captions = [row[0] for row in random]
        images = draw(pipeline, "baseline", captions, options.seed, options.device)
        true_images = (Renderer(torch.device("cpu")).render(scenes) + 1) / 2
        drawn[kind] = (captions, images)
        accuracy[kind] = {
            name: {
                "drawn_of_16": judge.accuracy(images, random),
                "drawn_of_near_misses": judge.accuracy(images, near),
                "rendered_of_16": judge.accuracy(true_images, random),
                "rendered_of_near_misses": judge.accuracy(true_images, near),
            }
            for name, judge in judges.items()
        }
    variants = _variants(options, pipeline, judges, drawn)
    prompts = (options.package / "captions.txt").read_text(encoding="utf-8").splitlines()
    seconds = seconds_per_image(pipeline, prompts)
    figures = {
        "images_of_each_kind": count,
        "accuracy": accuracy,
        "variants": variants,
        "seconds_per_image_one_core": seconds,
        "accepted": accepted(accuracy, variants, seconds),
    }
    (options.out / "evaluation.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))
    half = GRID_IMAGES // 2
    write_grid(
        options.out / "grid.png",
        torch.cat([drawn[kind][1][:half] for kind in KINDS]),
        [text for kind in KINDS for text in drawn[kind][0][:half]],
    )


def choices(space: SceneSpace, scenes: Tensor) -> list[list[str]]:
    """Put 15 other held-out captions of the same kind after each scene's own."""
    rows = []
    meanings = space.meanings(scenes).tolist()
    for scene, meaning in zip(scenes.tolist(), meanings, strict=True):
        others = space.sample(4 * CHOICES, two=bool(scene[0]))
        wrong = [
            caption(other)
            for other, its in zip(others.tolist(), space.meanings(others).tolist(), strict=True)
            if its != meaning
        ]
        rows.append([caption(scene), *list(dict.fromkeys(wrong))[: CHOICES - 1]])
    return rows


def near_choices(scenes: Tensor, tokenizer: Any) -> list[list[str]]:
    """Put 15 captions with one attribute changed, or the objects exchanged, after each scene's own."""
    space = SceneSpace(ALL_PAIRS, tokenizer, torch.device("cpu"))
    rows = []
    for scene in scenes:
        others = space.mutate(scene.expand(16 * CHOICES, -1))
        different = others[space.meanings(others) != space.meanings(scene[None])]
        wrong = dict.fromkeys(caption(other) for other in different.tolist())
        rows.append([caption(scene.tolist()), *list(wrong)[: CHOICES - 1]])
    return rows


def _variants(
    options: Options, pipeline: Path, judges: dict[str, Judge], drawn: dict[str, tuple[list[str], Tensor]]
) -> dict[str, dict[str, float | None]]:
    """Measure each acceleration: CLIP score by each judge and mean PSNR against the unaccelerated images."""
    half = options.scaled(IMAGES_OF_A_VARIANT, least=2) // 2
    captions = [text for kind in KINDS for text in drawn[kind][0][:half]]
    reference = draw(pipeline, "baseline", captions, options.seed + 3, options.device)
    texts = {name: judge.texts(captions) for name, judge in judges.items()}
    figures: dict[str, dict[str, float | None]] = {}
    for variant in VARIANTS:
        plain = variant == "baseline"
        images = reference if plain else draw(pipeline, variant, captions, options.seed + 3, options.device)
        error = functional.mse_loss(images, reference, reduction="none").mean(dim=(1, 2, 3))
        psnr = (-10 * torch.log10(error.clamp(min=1e-8))).mean()
        scores = {
            name: float(100 * (judge.images(images) * texts[name]).sum(dim=1).mean())
            for name, judge in judges.items()
        }
        figures[variant] = {
            "clip_score": scores["scorer"],
            "clip_score_of_judge": scores.get("judge"),
            "psnr": None if plain else float(psnr),
        }
    return figures


def accepted(
    accuracy: dict[str, Any], variants: dict[str, dict[str, float | None]], seconds: float
) -> dict[str, bool]:
    """Hold the figures against acceptance.json."""
    wanted = json.loads(ACCEPTANCE.read_text(encoding="utf-8"))
    verdicts = {"seconds per image on one core": seconds <= wanted["seconds_per_image_one_core"]} | {
        f"{kind} accuracy": accuracy[kind]["scorer"]["drawn_of_16"] >= least
        for kind, least in wanted["accuracy_of_16"].items()
    }
    for gentle, harsh in wanted["falls_from_to"]:
        for figure in wanted["falling_figures"]:
            before, after = variants[gentle][figure], variants[harsh][figure]
            verdicts[f"{figure} falls from {gentle} to {harsh}"] = (
                before is not None and after is not None and before > after
            )
    return verdicts
