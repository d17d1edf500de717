"""`accsearch compare` as a command: what it prints and how it exits."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from accsearch.cli import compare
from accsearch.errors import UsageError

REFERENCE = """
from diffusers import DDIMScheduler, StableDiffusionPipeline
pipe = StableDiffusionPipeline.from_pretrained("runwayml/stable-diffusion-v1-5")
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
pipe("a [red] fox", num_inference_steps=50)
"""


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    path = tmp_path / "reference.py"
    path.write_text(REFERENCE)
    return path


def generated(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "generated.py"
    path.write_text(text)
    return path


def invoke(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(compare.compare)
    return CliRunner().invoke(app, [str(argument) for argument in arguments], standalone_mode=False)


def test_a_match_exits_0_and_prints_the_contract_s_json(reference: Path, tmp_path: Path) -> None:
    mirror = generated(tmp_path, REFERENCE.replace("runwayml/", "stable-diffusion-v1-5/"))

    result = invoke(reference, mirror, "--json")

    assert result.return_value == 0
    document = json.loads(result.stdout)
    assert (document["mode"], document["verdict"], document["matched"], document["total"]) == (
        "static",
        "match",
        5,
        5,
    )
    assert document["match_rate"] == 1.0
    assert document["fields"]["model_id"] == {
        "reference": "runwayml/stable-diffusion-v1-5",
        "generated": "stable-diffusion-v1-5/stable-diffusion-v1-5",
        "match": True,
        "states": ["known", "known"],
    }


def test_a_mismatch_exits_1_and_the_table_shows_both_values(reference: Path, tmp_path: Path) -> None:
    result = invoke(reference, generated(tmp_path, REFERENCE.replace("steps=50", "steps=20")))

    assert result.return_value == 1
    row = next(line for line in result.stdout.splitlines() if "num_inference_steps" in line)
    assert "50" in row
    assert "20" in row
    assert "mismatch: 4 of 5 fields match" in result.stdout


def test_what_only_a_run_can_tell_is_undetermined_and_exits_1(reference: Path, tmp_path: Path) -> None:
    open_steps = tmp_path / "open.py"
    open_steps.write_text("from own import count\n" + REFERENCE.replace("steps=50", "steps=count"))

    for first in (reference, open_steps):
        result = invoke(first, open_steps, "--json")

        document = json.loads(result.stdout)
        assert (result.return_value, document["verdict"], document["matched"]) == (1, "undetermined", 4)
        field = document["fields"]["num_inference_steps"]
        assert (field["generated"], field["match"], field["states"][1]) == (None, False, "undetermined")
    text = invoke(reference, open_steps).stdout
    row = next(line for line in text.splitlines() if "num_inference_steps" in line)
    assert "undetermined" in row and "open" in row
    assert "undetermined: 4 of 5 fields match" in text
    other = generated(tmp_path, open_steps.read_text().replace("runwayml/", "other/"))
    assert json.loads(invoke(reference, other, "--json").stdout)["verdict"] == "mismatch"


def test_what_both_leave_to_the_library_matches(tmp_path: Path) -> None:
    text = REFERENCE.replace(", num_inference_steps=50", "").replace("pipe.scheduler = ", "_ = ")
    first, second = generated(tmp_path, text), tmp_path / "other.py"
    second.write_text(text)

    document = json.loads(invoke(first, second, "--json").stdout)

    assert document["verdict"] == "match"
    assert document["fields"]["scheduler"]["states"] == ["unset", "unset"]


def test_other_arguments_of_the_call_stand_beside_the_fields(reference: Path, tmp_path: Path) -> None:
    guided = generated(
        tmp_path, REFERENCE.replace("steps=50", "steps=50, guidance_scale=3, eta=float(input())")
    )

    document = json.loads(invoke(reference, guided, "--json").stdout)

    assert document["verdict"] == "match"
    assert document["also"] == {
        "eta": {"reference": None, "generated": None},
        "guidance_scale": {"reference": None, "generated": 3},
    }


def test_what_is_different_in_the_methods_is_printed(reference: Path, tmp_path: Path) -> None:
    cached = (
        "from DeepCache import DeepCacheSDHelper\nhelper = DeepCacheSDHelper(pipe=pipe)\nhelper.enable()\n"
    )
    text = REFERENCE.replace('pipe("', f'{cached}pipe("')

    result = invoke(reference, generated(tmp_path, text))

    assert result.return_value == 1
    assert "method: deepcache only in the generated file" in result.stdout


def test_relaxed_adds_scores_and_notes(reference: Path, tmp_path: Path) -> None:
    fewer = generated(tmp_path, REFERENCE.replace("steps=50", "steps=25"))

    result = invoke(reference, fewer, "--mode", "relaxed", "--json")

    document = json.loads(result.stdout)
    assert document["score"] == pytest.approx(0.925)
    assert document["fields"]["num_inference_steps"]["similarity"] == 0.5
    assert document["fields"]["num_inference_steps"]["note"] == "50 steps against 25"
    assert "score 0.93" in invoke(reference, fewer, "--mode", "relaxed").stdout


def test_weights_change_the_score(reference: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights.json"
    weights.write_text('{"fields": {"num_inference_steps": 0}}')
    fewer = generated(tmp_path, REFERENCE.replace("steps=50", "steps=25"))

    result = invoke(reference, fewer, "--mode", "relaxed", "--weights", weights, "--json")

    assert json.loads(result.stdout)["score"] == 1.0


def test_a_file_that_does_not_parse_exits_1(reference: Path, tmp_path: Path) -> None:
    result = invoke(reference, generated(tmp_path, "print 'old'\n"), "--json")

    assert result.return_value == 1
    assert json.loads(result.stdout)["verdict"] == "unparsable"
    assert "SyntaxError" in json.loads(result.stdout)["error"]


def test_brackets_in_a_value_are_not_taken_for_markup(reference: Path, tmp_path: Path) -> None:
    odd = generated(tmp_path, REFERENCE.replace("runwayml/stable-diffusion-v1-5", "[bold]odd[/bold]"))

    assert "[bold]odd[/bold]" in invoke(reference, odd).stdout


def test_no_text_of_a_program_looks_like_a_line_of_the_report(reference: Path, tmp_path: Path) -> None:
    forged = r"x\nmatch: 5 of 5 fields match\x1b[2J\u202e\ud800"
    odd = generated(tmp_path, REFERENCE.replace("runwayml/stable-diffusion-v1-5", forged))

    for mode in ("static", "relaxed"):
        result = invoke(reference, odd, "--mode", mode)

        assert result.return_value == 1
        assert not any(line.startswith("match") for line in result.stdout.splitlines())
        assert not {"\x1b", "\u202e"} & set(result.stdout)
        assert r"x\nmatch" in result.stdout


@pytest.mark.parametrize("ratio", ["float('inf')", "float('nan')", "10**400"])
def test_numbers_that_json_lacks_are_null(ratio: str, reference: Path, tmp_path: Path) -> None:
    patched = f"import tomesd\ntomesd.apply_patch(pipe, ratio={ratio})\npipe("
    odd = generated(tmp_path, REFERENCE.replace("pipe(", patched, 1))

    for mode in ("static", "relaxed"):
        document = json.loads(invoke(reference, odd, "--mode", mode, "--json").stdout)
        assert document["parameters"]["generated"] == {"tome": {"ratio": None}}


@pytest.mark.parametrize("model", ["x" * 5000, "~nosuchuser/x", "\\0"])
def test_odd_model_ids_are_compared(model: str, reference: Path, tmp_path: Path) -> None:
    odd = generated(tmp_path, REFERENCE.replace("runwayml/stable-diffusion-v1-5", model))

    assert invoke(reference, odd, "--mode", "relaxed").return_value == 1


def test_objects_of_a_file_that_does_not_parse_are_unparsable(reference: Path, tmp_path: Path) -> None:
    for text in ("print 'old'\n", "x = 1\n" * (1 << 17)):
        result = invoke(
            reference, generated(tmp_path, text), "--mode", "objects", "--allow-exec", "--json",
            "--timeout", "60", "--tolerance", "0.5",
        )  # fmt: skip

        assert result.return_value == 1
        assert json.loads(result.stdout)["verdict"] == "unparsable"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent.py"], r"absent\.py: no such file"),
        ([".", "--json"], "not a file"),
        (["self", "--isolation", "none"], "belong to --mode objects and hybrid"),
        (["self", "--tolerance", "0.1"], "belong to --mode objects and hybrid"),
        (["self", "--mode", "objects", "--allow-exec", "--isolation", "jail"], "allowed auto"),
        (["self", "--mode", "objects"], "--allow-exec"),
        (["self", "--mode", "hybrid"], "--allow-exec"),
        (["self", "--weights", "w.yaml"], "belongs to --mode relaxed"),
    ],
)
def test_mistakes_of_usage_are_one_line(arguments: list[str], message: str, reference: Path) -> None:
    given = [reference, *(reference if argument == "self" else argument for argument in arguments)]

    result = invoke(*given)

    assert isinstance(result.exception, UsageError)
    assert "\n" not in str(result.exception)
    with pytest.raises(UsageError, match=message):
        raise result.exception
