"""The static comparison finds what the corpus and the documentation's snippets expect."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from accsearch.codeeval.field_weights import Weights
from accsearch.codeeval.fields import FIELD_NAMES, Fields, agreement
from accsearch.codeeval.method_similarity import methods_similarity
from accsearch.codeeval.source import MAX_BYTES, Unparsable
from accsearch.codeeval.static import compare_static, extract, extract_source
from accsearch.errors import UsageError

CORPUS = Path(__file__).parent / "corpus"
SNIPPETS = Path(__file__).parent / "snippets"
CASES = sorted(path for path in CORPUS.iterdir() if path.is_dir())
SNIPPET_FILES = sorted(SNIPPETS.glob("*.py"))

PIPE = """
import tomesd, torch
from DeepCache import DeepCacheSDHelper
from diffusers import DDIMScheduler, PNDMScheduler, StableDiffusionPipeline
pipe = StableDiffusionPipeline.from_pretrained("some/model")
"""


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def fields_of(code: str) -> Fields:
    return extract_source((PIPE + code).encode())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case_of_the_corpus(case: Path) -> None:
    expected = load(case / "expected.json")

    result = compare_static(case / "reference.py", case / "generated.py")

    fields = result["fields"]
    for side in ("reference", "generated"):
        assert {name: fields[name][side] for name in FIELD_NAMES} == expected[side], side
    for index, side in enumerate(("reference", "generated")):
        unset = [name for name in FIELD_NAMES if fields[name]["states"][index] == "unset"]
        assert unset == expected.get("unset", {}).get(side, []), side
    assert {name: fields[name]["match"] for name in FIELD_NAMES} == expected["match"]
    assert result["verdict"] == expected["verdict"]
    assert result["matched"] == sum(expected["match"].values())
    for side, methods in expected.get("parameters", {}).items():
        for method, parameters in methods.items():
            found = result["parameters"][side][method]
            assert {name: found[name] for name in parameters} == parameters


@pytest.mark.parametrize("snippet", SNIPPET_FILES, ids=lambda path: path.stem)
def test_snippet_of_the_documentation(snippet: Path) -> None:
    assert extract(snippet).as_json() == load(snippet.with_suffix(".expected.json"))


def test_many_unknown_branches_are_merged_where_they_change_nothing() -> None:
    branches = "".join(f"if input(): x{i} = 1; print({i})\nelse: x{i} = 2\n" for i in range(60))

    fields = fields_of(branches + "pipe('a', num_inference_steps=20)")

    assert fields.as_json() == {
        "pipeline": "StableDiffusionPipeline",
        "model_id": "some/model",
        "scheduler": None,
        "num_inference_steps": 20,
        "acceleration_methods": [],
    }


def test_many_unknown_branches_make_unknown_only_what_hangs_on_them() -> None:
    branches = "n = 0\n" + "".join("if input(): n += 1\n" for _ in range(30))

    fields = fields_of(branches + "if n > 3: tomesd.apply_patch(pipe)\npipe('a', num_inference_steps=20)")

    assert fields.num_inference_steps == 20
    assert fields.methods is None


def test_pipelines_built_in_two_branches_count_as_one_where_they_agree() -> None:
    fields = fields_of(
        "".join(f"if input(): x{i} = 1\nelse: x{i} = 2\n" for i in range(60))
        + """
if input():
    p = StableDiffusionPipeline.from_pretrained("m", torch_dtype=torch.float16)
else:
    p = StableDiffusionPipeline.from_pretrained("m")
p.scheduler = DDIMScheduler.from_config(p.scheduler.config)
p("a", num_inference_steps=5)
"""
    )

    assert (fields.pipeline, fields.model_id, fields.scheduler) == (
        "StableDiffusionPipeline",
        "m",
        "DDIMScheduler",
    )


def test_a_condition_on_the_same_unknown_has_the_same_outcome() -> None:
    fields = fields_of(
        """
import argparse
args = argparse.ArgumentParser().parse_args()
if args.fast:
    helper = DeepCacheSDHelper(pipe=pipe)
    helper.enable()
if args.fast:
    helper.disable()
pipe("a", num_inference_steps=5)
"""
    )

    assert fields.acceleration_methods == []


@pytest.mark.parametrize(
    ("code", "steps"),
    [
        ("class A: pass\na = A()\nif input(): a.n = 5\nelse: a.n = 6\n", "a.n"),
        ("class A: n = 5\na = A()\nif input(): a.n = 6\n", "a.n"),
        (
            "import argparse\na = argparse.ArgumentParser().parse_args()\na.n = 5\nif input(): a.n = 6\n",
            "a.n",
        ),
        ("def const(*a): return 7\nimport math\nif input(): math.floor = const\n", "math.floor(5.5)"),
        ("d = {'n': 5}\nif input(): d['n'] = 6\n", "d['n']"),
        ("n = [5]\nif input(): n.append(6)\n", "n[-1]"),
        ("n = 5 if input() else 6\n", "n"),
        ("def f():\n  if input(): return 5\n  return 6\nn = f()\n", "n"),
        ("g = iter([5, 6])\nif input(): next(g)\nn = next(g)\n", "n"),
    ],
)
@pytest.mark.parametrize("noise", [0, 60])
def test_what_only_one_branch_sets_is_unknown(code: str, steps: str, noise: int) -> None:
    branches = "".join(f"if input(): x{i} = 1\nelse: x{i} = 2\n" for i in range(noise))

    fields = fields_of(branches + code + f"pipe('a', num_inference_steps={steps})")

    assert fields.num_inference_steps is None
    assert fields.model_id == "some/model"


def test_what_changes_from_round_to_round_of_an_unknown_loop_is_unknown() -> None:
    fields = fields_of(
        """
steps = 10
for line in open("prompts.txt"):
    pipe(line, num_inference_steps=steps, guidance_scale=3)
    steps += 10
    tomesd.apply_patch(pipe)
"""
    )

    assert fields.model_id == "some/model"
    assert fields.num_inference_steps is None
    assert fields.methods is None


@pytest.mark.parametrize(
    ("code", "steps"),
    [
        ("i = 0\nwhile i < 10**6: i += 1\npipe('a', num_inference_steps=9)", 9),
        ("for i in range(10**9): pipe('a', num_inference_steps=i)", 10**9 - 1),
        (
            "for i in range(999):\n  for j in range(999):\n    for k in range(999): pass\n"
            "pipe('a', num_inference_steps=9)",
            9,
        ),
        (
            "def f(n):\n  f(n + 1)\n  f(n + 2)\ntry: f(0)\nexcept RecursionError: pass\n"
            "pipe('a', num_inference_steps=9)",
            9,
        ),
        (
            "x = (1,)\nfor _ in range(60): x = (x, x)\nprint(x == x, str(x))\n"
            "pipe('a', num_inference_steps=9)",
            9,
        ),
        ("x = [0]\nfor _ in range(64): x = x + x\npipe('a', num_inference_steps=len(x))", None),
        ("x = []\nx.append(x)\npipe('a', num_inference_steps=len(str(x)))", None),
        ("n = 9**9**9\nm = f'{1:99999999999}'\npipe('a', num_inference_steps=n)", None),
        ("def f(n):\n  if input(): return n\n  return f(n + 1)\npipe('a', num_inference_steps=f(0))", None),
        ("def g(): yield from g()\nfor n in g(): pass\npipe('not reached', num_inference_steps=9)", None),
    ],
)  # fmt: skip
def test_work_without_end_is_bounded(code: str, steps: int | None) -> None:
    fields = fields_of(code)

    assert fields.pipeline == "StableDiffusionPipeline"
    assert fields.num_inference_steps == steps


def test_a_context_manager_is_left_with_the_block() -> None:
    fields = fields_of(
        """
from contextlib import contextmanager

@contextmanager
def cached(p):
    helper = DeepCacheSDHelper(pipe=p)
    helper.set_params(cache_interval=2)
    helper.enable()
    try:
        yield helper
    finally:
        helper.disable()

def run():
    with cached(pipe):
        return pipe("inside", num_inference_steps=9)

run()
pipe("outside", num_inference_steps=3)
"""
    )

    assert fields.num_inference_steps == 3
    assert fields.acceleration_methods == []


def test_positional_parameters_and_unknown_ones_are_reported() -> None:
    fields = fields_of("tomesd.apply_patch(pipe, 0.4, int(input()), sx=4)\npipe('a', 512, 512, 30)")

    assert fields.num_inference_steps == 30
    assert fields.methods == {"tome": {"ratio": 0.4, "max_downsample": None, "sx": 4}}


def test_fields_left_to_the_library_are_not_unknown_ones() -> None:
    assert fields_of("pipe('a')").unwritten == {"scheduler", "num_inference_steps"}
    assert fields_of("pipe('a', num_inference_steps=int(input()))").unwritten == {"scheduler"}
    assert fields_of("pipe.scheduler = input()\npipe('a', **input())").unwritten == frozenset()


def test_agreement_keeps_what_all_paths_share() -> None:
    first = Fields("P", "m", None, 20, {"tome": {"ratio": 0.5, "sx": 2}})
    second = Fields("P", "n", None, 20, {"tome": {"ratio": 0.3, "sx": 2}})

    assert agreement([first, second]) == Fields("P", None, None, 20, {"tome": {"ratio": None, "sx": 2}})
    assert agreement([first, Fields("P", "m", None, 20, {})]).methods is None


def test_a_file_that_does_not_parse_matches_nothing(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(PIPE)
    bad.write_text("print 'old'")

    result = compare_static(good, bad)

    assert result["verdict"] == "unparsable"
    assert result["matched"] == 0
    assert result["fields"]["pipeline"] == {
        "reference": "StableDiffusionPipeline", "generated": None, "match": False,
        "states": ["known", "undetermined"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [b"(" * 5000, b"x = 1\x00", b"\xff\xfe", b"# coding: nonsense\n", b"return 1", b"x" * (MAX_BYTES + 1),
     b"-" * 100_000 + b"1", b"lambda:" * 20_000 + b"1", b"x" + b".y" * 5000],
)  # fmt: skip
def test_sources_hostile_to_the_parser_are_unparsable(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bomb.py"
    path.write_bytes(data)

    with pytest.raises(Unparsable):
        extract(path)


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.py"):
        extract(tmp_path / "absent.py")


def mutated(text: bytes, chance: random.Random) -> bytes:
    """Damage a program: swap, drop or repeat lines and tokens, or change bytes."""
    lines = text.splitlines(keepends=True)
    for _ in range(chance.randint(1, 4)):
        kind, place = chance.randrange(6), chance.randrange(len(lines))
        other = chance.randrange(len(lines))
        if kind == 0:
            lines[place], lines[other] = lines[other], lines[place]
        elif kind == 1:
            del lines[place : place + 1]
            lines = lines or [b"\n"]
        elif kind == 2:
            lines.insert(other, lines[place])
        elif kind == 3:
            words = lines[place].split(b" ")
            chance.shuffle(words)
            lines[place] = b" ".join(words)
        elif kind == 4:
            lines[place] = lines[place].replace(
                b"pipe", chance.choice([b"x", b"pipe.unet", b"None", b"(1, 2)"])
            )
        else:
            spot = chance.randrange(len(lines[place]) or 1)
            lines[place] = lines[place][:spot] + bytes([chance.randrange(256)]) + lines[place][spot + 1 :]
    return b"".join(lines)


@pytest.mark.parametrize("part", range(8))
def test_damaged_programs_are_read_or_refused(part: int) -> None:
    chance = random.Random(part)
    sources = [(case / "generated.py").read_bytes() for case in CASES] + [
        path.read_bytes() for path in SNIPPET_FILES
    ]
    small = [source for source in sources if 0 < len(source) < 20_000]
    outcomes = {"read": 0, "refused": 0}

    for _ in range(60):
        try:
            fields = extract_source(mutated(chance.choice(small), chance))
        except Unparsable:
            outcomes["refused"] += 1
        else:
            assert tuple(fields.as_json()) == FIELD_NAMES
            outcomes["read"] += 1

    assert min(outcomes.values()) > 0


def test_the_call_s_other_arguments_are_kept_where_the_code_decides_them() -> None:
    assert fields_of("x = 1").arguments is None
    assert fields_of("pipe('a')").arguments == {}
    assert fields_of("pipe('a', guidance_scale=2 + 1.5, sigmas=None)").arguments == {"guidance_scale": 3.5}
    assert fields_of("pipe('a', eta=float(input()), timesteps=[9, 1])").arguments == {
        "eta": None,
        "timesteps": [9, 1],
    }
    hidden = fields_of("pipe('a', 64, 64, 30, guidance_scale=1.0)").arguments
    assert hidden is not None and hidden["height"] is None and hidden["guidance_scale"] == 1.0
    split = "pipe('a', guidance_scale=1.0) if input() else pipe('a', guidance_scale=2.0)"
    assert fields_of(split).arguments == {"guidance_scale": None}


@pytest.mark.parametrize(
    "value", ["float('inf')", "float('nan')", "-1e999", "10**400", "[b'x']", "[[[[[[1]]]]]]"]
)
def test_a_parameter_that_json_cannot_hold_is_unknown(value: str) -> None:
    methods = fields_of(f"tomesd.apply_patch(pipe, ratio={value})\npipe('a')").methods

    assert methods is not None
    assert "null" in json.dumps(methods, allow_nan=False)
    assert methods_similarity(methods, {"tome": {"ratio": 0.5}}, Weights())[0] <= 1


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ("TaylorSeerCacheConfig(cache_interval=4)", "taylorseer"),
        ("MagCacheConfig(0.1, mag_ratios=[1.0])", "mag_cache"),
        ("FirstBlockCacheConfig(threshold=0.1)", "first_block_cache"),
    ],
)
def test_a_cache_of_diffusers_is_known_by_the_table_of_the_methods(config: str, name: str) -> None:
    kind = config.partition("(")[0]
    code = f"""
from diffusers import FluxPipeline, {kind}
pipe = FluxPipeline.from_pretrained("some/model")
pipe.transformer.enable_cache({config})
pipe("a cat", num_inference_steps=28)
"""

    found = extract_source(code.encode())

    assert found.acceleration_methods == [name]
