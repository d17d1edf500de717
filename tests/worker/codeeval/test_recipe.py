"""What the baseline is made of, whatever the generated file says of itself."""

from typing import Any

import pytest
import torch

from accsearch.codeeval.fields import Fields
from accsearch.codeeval.readable_models import offline
from accsearch.codeeval.static import extract_source
from accsearch.config.models import resolve_model
from accsearch.sandbox.client import Refused
from accsearch.worker.codeeval.baseline import PlainPipeline, build
from accsearch.worker.codeeval.recipe import Recipe, model_of, recipe, refuse_other_steps
from accsearch.worker.machine import Machine

CPU = Machine(torch.device("cpu"), torch.float32)
START = """
from diffusers import StableDiffusionPipeline
pipe = StableDiffusionPipeline.from_pretrained("accsearch/demo")
"""


def made(code: str, own_call: dict[str, Any]) -> Recipe:
    fields = extract_source((START + code).encode())
    return recipe(model_of(fields), fields, own_call)


def test_what_the_code_writes_goes_before_what_the_file_says() -> None:
    found = made('pipe("a cat", num_inference_steps=12, guidance_scale=1.0)', {"guidance_scale": 9.0})
    assert found.steps == 12
    assert found.arguments == {"guidance_scale": 1.0}
    assert found.to_json() == {
        "pipeline": "StableDiffusionPipeline",
        "model_id": "builtin:demo",
        "scheduler": "DDIMScheduler",
        "num_inference_steps": 12,
        "guidance_scale": 1.0,
        "notes": [],
    }


def test_a_default_that_the_code_leaves_is_not_what_the_file_says() -> None:
    found = made('pipe("a cat")', {"guidance_scale": 9.0, "num_inference_steps": 400, "eta": 1.0})
    assert (found.steps, found.arguments) == (50, {})


def test_what_only_a_run_can_tell_is_what_the_file_says() -> None:
    found = made(
        'pipe("a cat", num_inference_steps=int(input()), **input())',
        {"guidance_scale": 3.0, "num_inference_steps": 7, "height": 64.0, "eta": "much"},
    )
    assert (found.steps, found.arguments) == (7, {"guidance_scale": 3.0, "height": 64})


def test_a_file_decides_within_bounds() -> None:
    own_call = {
        "guidance_scale": 1e300,
        "eta": -3,
        "guidance_rescale": float("nan"),
        "num_inference_steps": 10**6,
    }
    found = made("", {**own_call, "width": 1 << 40})
    assert (found.steps, found.arguments) == (1000, {"guidance_scale": 20.0, "eta": 0.0, "width": 2048})
    assert [note.split()[0] for note in found.notes] == [
        "guidance_scale",
        "width",
        "eta",
        "num_inference_steps",
    ]
    assert found.notes[0] == "guidance_scale 1e+300 is out of 0 to 20: 20 was taken"


def test_the_default_number_of_steps_is_that_of_the_pipeline_s_class() -> None:
    model = resolve_model("demo").model_copy(update={"pipeline_class": "PixArtAlphaPipeline"})
    assert recipe(model, Fields(), {}).steps == 20


@pytest.mark.parametrize("name", ["timesteps", "sigmas", "denoising_end"])
def test_a_call_that_replaces_the_number_of_steps_is_refused(name: str) -> None:
    value = "0.5" if name == "denoising_end" else "[999, 500, 1]"
    fields = extract_source((START + f'pipe("a cat", num_inference_steps=12, {name}={value})').encode())
    with pytest.raises(Refused, match=f"sets `{name}`, which replaces the number of steps"):
        refuse_other_steps(fields, {})
    with pytest.raises(Refused, match=f"sets `{name}`"):
        refuse_other_steps(Fields(), {name: 1})
    refuse_other_steps(extract_source((START + f'pipe("a cat", {name}=None)').encode()), {})


@pytest.mark.parametrize("model_id", ["x" * 5000, "~nosuchuser/x", "a/" + "b" * 400, "/" + "x" * 5000, "\0"])
def test_odd_model_ids_have_a_verdict(model_id: str) -> None:
    with pytest.raises(Refused) as found:
        fields = Fields("StableDiffusionPipeline", model_id)
        build(recipe(model_of(fields), fields, {}), CPU)
    assert found.value.verdict == "invalid"
    assert len(str(found.value)) < 600


def test_a_class_that_diffusers_lacks_has_a_verdict() -> None:
    fields = Fields("MyOwnPipeline", "accsearch/demo")
    with pytest.raises(Refused, match="has no MyOwnPipeline"):
        build(recipe(model_of(fields), fields, {}), CPU)


def test_nothing_is_downloaded_on_a_file_s_word(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    model = resolve_model({"name": "x", "model": "someone/model", "class": "StableDiffusionPipeline"})
    with pytest.raises(Refused, match="neither in the registry nor in the hub's cache"):
        offline(model)
    snapshot = tmp_path / "models--someone--model" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (tmp_path / "models--someone--model" / "refs").mkdir()
    (tmp_path / "models--someone--model" / "refs" / "main").write_text("abc", encoding="ascii")
    assert offline(model).model_id == str(snapshot)
    assert offline(resolve_model("SD1.5")).model_id == resolve_model("SD1.5").model_id


@pytest.mark.parametrize("error", [RuntimeError("CUDA out of memory"), TypeError("image"), MemoryError()])
def test_a_baseline_that_makes_no_image_has_a_verdict(error: Exception) -> None:
    def pipeline(prompt: str, **arguments: object) -> None:
        raise error

    fields = Fields("StableDiffusionPipeline", "accsearch/demo")
    baseline = PlainPipeline(pipeline, recipe(model_of(fields), fields, {}), CPU)
    with pytest.raises(Refused, match="the baseline makes no image: ") as found:
        baseline.image("a cat", 1)
    assert found.value.verdict == "invalid"


def test_the_demo_s_flux_pipeline_is_called_with_the_tokens_that_the_code_writes() -> None:
    code = """
from diffusers import FluxPipeline
pipe = FluxPipeline.from_pretrained("accsearch/demo-dit")
pipe("a cat", height=64, width=64, max_sequence_length=24, num_inference_steps=20)
"""
    fields = extract_source(code.encode())
    found = recipe(model_of(fields), fields, {})
    assert (found.model.model_id, found.scheduler) == ("builtin:demo-dit", "FlowMatchEulerDiscreteScheduler")
    assert found.arguments == {"height": 64, "width": 64, "max_sequence_length": 24}
