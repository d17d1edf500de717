"""Evaluations of real files on a tiny pipeline of the real classes, and on their objects."""

from pathlib import Path

import pytest

from accsearch.codeeval.evaluation import Evaluation
from accsearch.codeeval.objects import compare_objects
from accsearch.codeeval.settings import Settings
from accsearch.errors import UsageError
from accsearch.worker.codeeval.evaluate import evaluate

# diffusers warns of the argument by which the worker, which runs by itself, names the data type.
pytestmark = pytest.mark.filterwarnings("ignore:`torch_dtype` is deprecated:FutureWarning")

START = """
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
pipe = StableDiffusionPipeline.from_pretrained("{model}", torch_dtype=torch.float32)
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
pipe.set_progress_bar_config(disable=True)
"""
TGATE = """
from tgate import TgateSDLoader
pipe = TgateSDLoader(pipe)
image = pipe.tgate("a red cat", num_inference_steps=6, gate_step=3, sp_interval=1, fi_interval=1, warm_up=0,
                   guidance_scale=4.0).images[0]
"""
FEWER_STEPS = """
image = pipe("a red cat", num_inference_steps=12, guidance_scale=4.0).images[0]
wanted = pipe.scheduler.set_timesteps
pipe.scheduler.set_timesteps = lambda steps, device=None: wanted(max(1, steps // 4), device)
"""
MEASURED = ("ok", "unresolved")
"""Two pairs of images on a shared machine may well leave it open what is faster."""


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prompts") / "prompts.txt"
    path.write_text("a photo of a cat\na red house\nthe green tree\n", encoding="utf-8")
    return path


def judged(source: str, folder: Path, model: Path, prompts: Path) -> Evaluation:
    file = folder / "generated.py"
    file.write_text(START.format(model=model) + source, encoding="utf-8")
    settings = Settings(
        repeats=2, images=1, device="cpu", quality="builtin:tiny", prompts=str(prompts), timeout=280
    )
    return evaluate(file, settings)


def test_an_entry_point_of_a_package_is_measured(
    tiny_paths: dict[str, Path], tmp_path: Path, prompts: Path
) -> None:
    found = judged(TGATE, tmp_path, tiny_paths["sd"], prompts)
    assert found.verdict in MEASURED
    assert found.entry == "tgate"
    assert found.active is True
    assert found.configuration["acceleration_methods"] == ["tgate"]
    assert found.configuration["num_inference_steps"] == 6
    assert found.speedup is not None and found.speedup > 0
    assert found.isolation in ("landlock", "bubblewrap", "unshare")


def test_code_in_a_fence_runs_at_its_own_lines(
    tiny_paths: dict[str, Path], tmp_path: Path, prompts: Path
) -> None:
    code = START.format(model=tiny_paths["sd"]) + "raise ValueError('on purpose')\n"
    file = tmp_path / "answer.py"
    file.write_text(f"It's here:\n```python\n%matplotlib inline\n{code}```\n", encoding="utf-8")
    found = evaluate(file, Settings(device="cpu", quality="builtin:tiny", prompts=str(prompts), timeout=280))
    assert found.verdict == "failed"
    line = file.read_text().split("\n").index("raise ValueError('on purpose')") + 1
    assert found.error == f"ValueError: on purpose (line {line})"
    assert found.remarks == (
        f"the code was taken out of a Markdown fence (lines 3-{line})",
        "1 notebook magic was taken off",
    )


def test_fewer_steps_than_stated_are_caught(
    tiny_paths: dict[str, Path], tmp_path: Path, prompts: Path
) -> None:
    found = judged(FEWER_STEPS, tmp_path, tiny_paths["sd"], prompts)
    assert found.verdict == "invalid"
    assert found.error == "its images are those of 3 steps, not of 12"


def test_a_wrapper_is_measured_as_it_calls_its_pipeline(
    tiny_paths: dict[str, Path], tmp_path: Path, prompts: Path
) -> None:
    wrapper = """
base = pipe
def pipe(prompt, generator=None):
    return base(prompt, num_inference_steps=int("6"), guidance_scale=float("1.0"), generator=generator)
"""
    found = judged(wrapper, tmp_path, tiny_paths["sd"], prompts)
    assert found.verdict in MEASURED
    assert found.baseline is not None
    assert (found.baseline["num_inference_steps"], found.baseline["guidance_scale"]) == (6, 1.0)
    assert found.baseline["scheduler"] == "DDIMScheduler"
    # The very same computation: neither guidance nor steps were given away.
    assert found.relative_quality_loss == 0


def test_a_pipeline_that_needs_an_image_has_a_verdict(
    tiny_paths: dict[str, Path], tmp_path: Path, prompts: Path
) -> None:
    other = """
from diffusers import StableDiffusionImg2ImgPipeline
from PIL import Image
picture = Image.new("RGB", (32, 32), (200, 10, 10))
base = StableDiffusionImg2ImgPipeline.from_pipe(pipe)
def pipe(prompt, num_inference_steps, generator=None):
    return base(prompt, picture, num_inference_steps=num_inference_steps, generator=generator)
pipe("a cat", 6)
"""
    found = judged(other, tmp_path, tiny_paths["sd"], prompts)
    assert found.verdict == "invalid"
    assert str(found.error).startswith("the baseline makes no image: ")


def test_a_class_of_the_file_s_own_has_a_verdict(
    tiny_paths: dict[str, Path], tmp_path: Path, prompts: Path
) -> None:
    own = """
class FastPipeline(StableDiffusionPipeline):
    pass
pipe = FastPipeline.from_pretrained("{model}", torch_dtype=torch.float32)
pipe("a cat", num_inference_steps=2)
""".format(model=tiny_paths["sd"])
    found = judged(own, tmp_path, tiny_paths["sd"], prompts)
    assert found.verdict == "invalid"
    assert "has no FastPipeline" in str(found.error)


def test_a_model_that_is_not_here_has_a_verdict(tmp_path: Path) -> None:
    file = tmp_path / "generated.py"
    file.write_text("model = input\npipe = lambda prompt: None\n", encoding="utf-8")
    found = evaluate(file, Settings(device="cpu"))
    assert found.verdict == "invalid"
    assert "the code does not say which model" in str(found.error)


def test_a_file_that_does_not_parse_is_invalid(tmp_path: Path) -> None:
    file = tmp_path / "generated.py"
    file.write_text("pipe = (", encoding="utf-8")
    found = evaluate(file, Settings(device="cpu"))
    assert found.verdict == "invalid"
    assert found.configuration["pipeline"] is None


def test_objects_of_equal_files_match_and_patches_are_listed(
    tiny_paths: dict[str, Path], tmp_path: Path
) -> None:
    reference = tmp_path / "reference.py"
    reference.write_text(START.format(model=tiny_paths["sd"]), encoding="utf-8")
    changed = tmp_path / "changed.py"
    changed.write_text(
        START.format(model=tiny_paths["sd"])
        + "import tomesd\ntomesd.apply_patch(pipe, ratio=0.5)\n"
        + "pipe.unet.conv_out.weight.data += 1e-12\npipe.vae.decoder.conv_out.bias.data += 0.1\n"
        + "pipe.scheduler.set_timesteps(7)\npipe.unet.itself = [pipe.unet]\n",
        encoding="utf-8",
    )
    same = compare_objects(reference, reference, allow_exec=True)
    assert (same["verdict"], same["error"], same["differences"]) == ("match", None, [])
    assert same["compared"] == same["matched"] > 500
    other = compare_objects(reference, changed, allow_exec=True)
    paths = " ".join(each["path"] for each in other["differences"])
    assert other["verdict"] == "mismatch"
    assert "pipe.scheduler.num_inference_steps" in paths
    assert "pipe.vae.decoder.conv_out.bias" in paths
    assert "pipe.unet.conv_out.weight" not in paths
    assert "forward_pre_hooks" in paths
    assert 0 < other["match_rate"] < 1


def test_objects_of_a_file_that_fails_are_a_mismatch(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("raise ValueError('no weights')", encoding="utf-8")
    found = compare_objects(file, file, allow_exec=True)
    assert found["verdict"] == "mismatch"
    assert found["error"].startswith("reference: failed: ValueError: no weights")
    with pytest.raises(UsageError, match="--allow-exec"):
        compare_objects(file, file)
