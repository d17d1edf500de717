"""The relaxed comparison: near misses score between nothing and a match, and each difference has a note."""

from pathlib import Path

import pytest

from accsearch.codeeval.field_weights import Weights, load_weights
from accsearch.codeeval.fields import FIELD_NAMES, Fields
from accsearch.codeeval.method_similarity import methods_similarity
from accsearch.codeeval.relaxed import compare_relaxed, relaxed
from accsearch.errors import ConfigError, UsageError

SD15 = "stable-diffusion-v1-5/stable-diffusion-v1-5"
CACHED = {"deepcache": {"cache_interval": 3, "cache_branch_id": 0}}
REFERENCE = Fields("StableDiffusionPipeline", SD15, "DDIMScheduler", 50, CACHED)


def judged(name: str, generated: Fields, reference: Fields = REFERENCE) -> tuple[float, str]:
    field = relaxed(reference, generated, Weights())["fields"][name]
    return field["similarity"], field["note"]


def with_(**changes: object) -> Fields:
    return Fields(**{**REFERENCE.__dict__, **changes})


def test_the_same_fields_score_one_without_notes() -> None:
    result = relaxed(REFERENCE, REFERENCE, Weights())

    assert result["score"] == 1.0
    assert result["verdict"] == "match"
    assert {field["note"] for field in result["fields"].values()} == {""}


def test_the_score_is_the_weighted_mean_of_the_similarities() -> None:
    result = relaxed(REFERENCE, with_(num_inference_steps=25), Weights())

    assert result["fields"]["num_inference_steps"]["similarity"] == 0.5
    assert result["score"] == pytest.approx(1 - 0.15 * 0.5)
    assert result["verdict"] == "mismatch"


@pytest.mark.parametrize(
    ("pipeline", "similarity"),
    [
        ("DiffusionPipeline", 0.9),
        ("AutoPipelineForText2Image", 0.9),
        ("StableDiffusionImg2ImgPipeline", 0.5),
        ("StableDiffusionXLPipeline", 0.0),
        (None, 0.0),
    ],
)
def test_pipelines(pipeline: str | None, similarity: float) -> None:
    assert judged("pipeline", with_(pipeline=pipeline))[0] == similarity


@pytest.mark.parametrize(
    ("model", "similarity", "note"),
    [
        ("runwayml/stable-diffusion-v1-5", 1.0, "mirrors"),
        ("/models/stable-diffusion-v1-5", 0.8, "local path"),
        ("./checkpoints/Stable-Diffusion-v1-5/", 0.8, "local path"),
        ("someone/stable-diffusion-v1-5", 0.0, "another model"),
        ("stabilityai/stable-diffusion-xl-base-1.0", 0.0, "another model"),
    ],
)
def test_models(model: str, similarity: float, note: str) -> None:
    found = judged("model_id", with_(model_id=model))

    assert found[0] == similarity
    assert note in found[1]


def test_a_scheduler_left_to_the_model_equals_the_same_one_written() -> None:
    default = Fields("StableDiffusionPipeline", SD15, None, 50, {}, frozenset({"scheduler"}))

    assert judged("scheduler", default, with_(scheduler="PNDMScheduler"))[0] == 1.0
    assert judged("scheduler", default, with_(scheduler="DDIMScheduler"))[0] == 0.0


def test_an_unknown_scheduler_is_not_taken_for_the_default() -> None:
    unknown = Fields("StableDiffusionPipeline", SD15, None, 50, {})

    assert judged("scheduler", unknown, with_(scheduler="PNDMScheduler"))[0] == 0.0


def test_what_only_a_run_can_tell_is_like_nothing() -> None:
    unknown = Fields()
    unset = Fields(unwritten=frozenset({"pipeline", "model_id", "scheduler", "num_inference_steps"}))

    for name in ("pipeline", "model_id", "scheduler", "num_inference_steps"):
        assert judged(name, unknown, unknown) == (0.0, "only a run can tell, in both")
        assert judged(name, unset, unset) == (1.0, "")
        assert judged(name, unset)[0] == 0.0
        assert judged(name, unknown)[1] == "only a run can tell, in the generated file"
    open_methods = judged("acceleration_methods", with_(methods=None))
    assert open_methods == (0.0, "only a run can tell, in the generated file")


def test_schedulers_of_one_kind_are_near() -> None:
    assert judged("scheduler", with_(scheduler="FlaxDDIMScheduler"))[0] == 1.0
    assert judged("scheduler", with_(scheduler="DDPMScheduler"))[0] == 0.5
    assert judged("scheduler", with_(scheduler="EulerDiscreteScheduler"))[0] == 0.0


def test_a_default_step_count_equals_the_same_one_written() -> None:
    default = with_(num_inference_steps=None, unwritten=frozenset({"num_inference_steps"}))

    similarity, note = judged("num_inference_steps", default)

    assert similarity == 1.0
    assert "default" in note
    assert judged("num_inference_steps", with_(num_inference_steps=None))[0] == 0.0


def test_methods_count_by_their_share_and_their_parameters() -> None:
    weights = Weights()
    both = {"deepcache": {"cache_interval": 3}, "tome": {"ratio": 0.5}}

    assert methods_similarity(both, dict(reversed(both.items())), weights) == (1.0, "")
    assert methods_similarity(both, {"tome": {"ratio": 0.5}}, weights) == (
        0.5,
        "deepcache only in the reference",
    )
    assert methods_similarity({"tome": {"ratio": 0.5}}, {"tome": {"ratio": 0.25}}, weights) == (
        0.75,
        "tome.ratio 0.5 against 0.25",
    )
    assert methods_similarity({}, {}, weights) == (1.0, "")


@pytest.mark.parametrize(
    ("written", "left_out"),
    [
        ({"tome": {"ratio": 0.5, "max_downsample": 1}}, {"tome": {}}),
        ({"deepcache": {"cache_interval": 3, "cache_branch_id": 0}}, {"deepcache": {"cache_interval": 3}}),
        ({"tgate": {"gate_step": 10, "sp_interval": 5, "fi_interval": 1, "warm_up": 2}}, {"tgate": {}}),
        (
            {"deepcache": {"cache_interval": 3}, "tgate": {"sp_interval": 1, "warm_up": 0}},
            {"deepcache": {}, "tgate": {}},
        ),
    ],
)
def test_a_default_written_equals_one_left_out(
    written: dict[str, dict[str, object]], left_out: dict[str, dict[str, object]]
) -> None:
    assert methods_similarity(written, left_out, Weights()) == (1.0, "")


def test_a_parameter_that_only_a_run_can_tell_counts_half() -> None:
    found = methods_similarity({"tome": {"ratio": 0.5}}, {"tome": {"ratio": None}}, Weights())

    assert found == (0.75, "tome.ratio 0.5 against unknown")


def test_a_file_that_does_not_parse_scores_nothing(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text("x = 1\n")
    bad.write_text("x = = 1\n")

    result = compare_relaxed(good, bad)

    assert result["score"] == 0.0
    assert result["verdict"] == "unparsable"


def test_weights_from_a_file_replace_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "weights.yaml"
    lines = ["fields:", "  model_id: 0", "  scheduler: 0", "  acceleration_methods: 0"]
    path.write_text("\n".join([*lines, "  pipeline: 1", "  num_inference_steps: 1"]))

    weights = load_weights(path)

    assert weights.solver_family == Weights().solver_family
    assert relaxed(REFERENCE, with_(num_inference_steps=25, model_id="x"), weights)["score"] == 0.75


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("speed: 1", "speed: unknown; allowed are fields, generic_pipeline"),
        ("fields: {colour: 1}", r"fields\.colour: unknown"),
        ("fields: {pipeline: -1}", r"fields\.pipeline: -1 is not a number 0 or more"),
        ("fields: {pipeline: .inf}", "finite"),
        ("fields: [1]", "fields: has to map"),
        ("local_model: 2", "local_model: 2 is not a number from 0 to 1"),
        ("local_model: yes", "local_model: True is not"),
        ("[1, 2]", "have to be a mapping"),
        ("a: [", "not YAML"),
        ("\n  ".join(["fields:", *(f"{name}: 0" for name in FIELD_NAMES)]), "above 0"),
    ],
)
def test_wrong_weights_are_refused_with_their_key(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.yaml"
    path.write_text(text)

    with pytest.raises(ConfigError, match=message):
        load_weights(path)


def test_absent_weights_are_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_weights(tmp_path / "none.yaml")
