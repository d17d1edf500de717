"""What code elsewhere decides is not guessed, and what all ways through a program agree on is found."""

import pytest

from accsearch.codeeval.fields import Fields
from accsearch.codeeval.static import extract_source

PIPE = """
import os, random, sys, tomesd, torch
from diffusers import DDIMScheduler, PixArtAlphaPipeline, UniPCMultistepScheduler
pipe = PixArtAlphaPipeline.from_pretrained("own/model", scheduler=DDIMScheduler())
"""
CALL = "\npipe('a lighthouse', num_inference_steps=18)\n"


def fields_of(code: str) -> Fields:
    fields = extract_source((PIPE + code).encode())
    assert fields.pipeline == "PixArtAlphaPipeline"
    assert fields.model_id == "own/model"
    return fields


def steps(code: str) -> int | None:
    """Return the steps, None where they are undetermined."""
    fields = fields_of(code)
    assert (fields.scheduler, fields.acceleration_methods) == ("DDIMScheduler", [])
    assert fields.states["num_inference_steps"] in ("known", "undetermined")
    return fields.num_inference_steps


@pytest.mark.parametrize(
    "code",
    [
        """
for k in range(60):
    if os.path.exists(f"{k}.webp"):
        print("there")
        continue
    if random.random() > 0.9:
        continue
    pipe(str(k), num_inference_steps=18)
""",
        """
for k in range(200):
    if os.path.exists(f"{k}.webp"):
        break
    pipe(str(k), num_inference_steps=18)
""",
        """
for folder in os.listdir("in"):
    for name in os.listdir(folder):
        if not name.endswith(".txt"):
            continue
        if os.path.getsize(name) > 9999:
            break
        pipe(name, num_inference_steps=18)
""",
        """
def first_free(names):
    for name in names:
        if not os.path.exists(name):
            return name
    return None
for k in range(9):
    name = first_free(["a", "b", "c", "d", "e", "f"])
    if name is None:
        continue
    pipe(name, num_inference_steps=18)
""",
        """
class Maker:
    def __init__(self, pipe):
        self.pipe, self.made = pipe, 0
    def make(self, prompt):
        if not prompt.strip():
            return None
        if len(prompt) > 77:
            prompt = prompt[:77]
        image = self.pipe(prompt, num_inference_steps=18).images[0]
        self.made += 1
        return image
maker = Maker(pipe)
for k in range(12):
    maker.make(sys.argv[k])
""",
        """
file, n = open("prompts.txt"), 0
while n < 40:
    n += 1
    line = file.readline()
    if line.startswith("#"):
        continue
    pipe(line, num_inference_steps=18)
""",
        """
for name in enumerate(["p"] * 30):
    try:
        if os.path.exists("stop"):
            raise ValueError("stop")
        pipe(name, num_inference_steps=18)
    except ValueError:
        continue
""",
        """
from own.options import PREVIEW
def main():
    if PREVIEW:
        return print("nothing to do")
    pipe("a", num_inference_steps=18)
main()
""",
        """
mode = sys.argv[1]
if mode == "draft":
    count = 18
elif mode == "final":
    count = 9 * 2
pipe("a", num_inference_steps=count)
""",
        """
def chosen(mode):
    match mode:
        case "draft": engine = pipe
        case "final": engine = pipe
    return engine
chosen(sys.argv[1])("a", num_inference_steps=18)
""",
        "from own import key\nassert key" + CALL,
        """
seen, images = set(), []
for k in range(20):
    prompt = sys.argv[k % 4]
    if prompt in seen:
        continue
    seen.add(prompt)
    images.append(pipe(prompt, num_inference_steps=18).images[0])
    if len(images) >= 4:
        break
""",
        """
def prompts():
    for k in range(20):
        if os.path.exists(str(k)):
            continue
        yield str(k)
for prompt in prompts():
    pipe(prompt, num_inference_steps=18)
""",
        "import timeit\ntimeit.timeit(lambda: pipe('a', num_inference_steps=18), number=1)",
        "import timeit\npipe('a', num_inference_steps=18)\ntimeit.timeit(lambda: print('a'))",
    ],
)
def test_ways_that_agree_are_found(code: str) -> None:
    assert steps(code) == 18


def test_ways_that_differ_are_undetermined() -> None:
    loop = "for k, n in enumerate([9, 18]):\n    if os.path.exists(str(k)):\n        continue\n"

    assert steps(loop + "    pipe('a', num_inference_steps=n)\n") is None
    assert steps("n = 9\nif sys.argv[1:]:\n    n = 18\npipe('a', num_inference_steps=n)\n") is None


@pytest.mark.parametrize(
    "condition",
    [
        "X",
        "not X",
        "X == 'fast'",
        "'fast' == X",
        "X != 'fast'",
        "X is True",
        "X is not None",
        "X in ('fast', 'faster')",
        "'fast' in X",
        "X in {'fast': 1}",
        "X and Y",
        "X or Y",
        "1 < X < 5",
        "X == 'fast' == Y",
        "X > 3",
        "bool(X)",
        "any([X, Y])",
        "(X, 1) == ('fast', 1)",
        "{'fast': True}.get(X, False)",
        "getattr(conf, 'FAST', False)",
        "conf.flags.fast",
        "conf.Mode.current is conf.Mode.FAST",
        "isinstance(X, str)",
        "f'{X}' == 'fast'",
        "(lambda v: v == 'fast')(X)",
        "USE_PEFT_BACKEND",
    ],
)
def test_a_name_of_another_module_is_no_known_flag(condition: str) -> None:
    imports = "import conf\nfrom conf import X, Y\nfrom diffusers.utils import USE_PEFT_BACKEND\n"

    fields = fields_of(f"{imports}if {condition}:\n    tomesd.apply_patch(pipe){CALL}")

    assert fields.num_inference_steps == 18
    assert fields.states["acceleration_methods"] == "undetermined"


@pytest.mark.parametrize(
    "code",
    [
        "match X:\n    case 'fast': n = 9\n    case _: n = 18",
        "match X:\n    case {'n': 1}: n = 9\n    case [1, *_]: n = 12\n    case _: n = 18",
        "n = 9 if X else 18",
        "n = X or 18",
        "n = {'fast': 9}.get(X, 18)",
        "n = {'fast': 9, X: 18}.get('slow', 3)",
        "n = [s for s in (9, 18) if s > X][0]",
        "n = next(s for s in (9, 18) if s == X)",
        "n = list(filter(lambda s: s == X, (9, 18)))[0]",
        "n = 9\nwhile X:\n    n += 9\n    break",
        "n = sorted([9, 18], key=X)[0]",
        "n = [9, 18]\nn.sort(key=X)\nn = n[0]",
    ],
)
def test_a_value_that_hangs_on_another_module_is_undetermined(code: str) -> None:
    assert steps(f"from conf import X\n{code}\npipe('a', num_inference_steps=n)\n") is None


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("from pydantic import BaseModel\nclass Job(BaseModel):\n    n: int = 9\njob = Job(n=18)", 18),
        ("from pydantic import BaseModel\nclass Job(BaseModel):\n    n: int = 18\njob = Job()", 18),
        (
            "from pydantic import BaseModel\nclass Base(BaseModel):\n    n: int = 9\n"
            "class Job(Base):\n    m: int = 1\njob = Job(**{'n': 18})",
            18,
        ),
        (
            "from pydantic import BaseModel, field_validator\nclass Job(BaseModel):\n    n: int = 9\n"
            "    @field_validator('n')\n    def twice(cls, n): return n * 2\njob = Job(n=18)",
            None,
        ),
        (
            "from pydantic_settings import BaseSettings\nclass Job(BaseSettings):\n    n: int = 9\njob = Job()",
            None,
        ),
        ("from attrs import define\n@define\nclass Job:\n    n: int = 9\njob = Job(n=18)", 18),
        ("import attr\n@attr.s(auto_attribs=True)\nclass Job:\n    n: int = 9\njob = Job(18)", 18),
        ("import attr\n@attr.s\nclass Job:\n    n = attr.ib(default=9)\njob = Job(n=18)", None),
        ("import msgspec\nclass Job(msgspec.Struct):\n    n: int = 9\njob = Job(n=18)", None),
        (
            "from own import Base\nfrom dataclasses import dataclass\n@dataclass\nclass Job(Base):\n    n: int = 9\n"
            "job = Job(n=18)",
            18,
        ),
        (
            "from own import Base\nfrom dataclasses import dataclass\n@dataclass\nclass Job(Base):\n    n: int = 9\n"
            "job = Job(18)",
            None,
        ),
        ("from own import Base\nclass Job(Base):\n    n = 9\njob = Job('job.toml')", None),
        (
            "from own import Base\nclass Job(Base):\n    n = 9\n    def __init__(self, **given):\n"
            "        super().__init__(**given)\njob = Job(n=18)",
            None,
        ),
        (
            "from own import Base\nclass Job(Base):\n    def __init__(self, n):\n        super().__init__()\n"
            "        self.n = n\njob = Job(18)",
            18,
        ),
        ("from own import Meta\nclass Job(metaclass=Meta):\n    n = 9\njob = Job(n=18)", None),
        ("from own import configured\n@configured\nclass Job:\n    n = 9\njob = Job()", None),
        ("import argparse\nclass Job(argparse.Namespace):\n    n = 9\njob = Job(n=18)", None),
        (
            "import argparse\nclass Job: n = 9\njob = Job()\n"
            "argparse.ArgumentParser().parse_args(namespace=job)",
            None,
        ),
        ("class Job:\n    n = 18\njob = Job()", 18),
    ],
)
def test_what_a_constructor_elsewhere_sets_is_not_the_class_s_default(
    code: str, expected: int | None
) -> None:
    assert steps(f"{code}\npipe('a', num_inference_steps=job.n)\n") == expected


@pytest.mark.parametrize(
    "code",
    [
        "from click import command, option\n@command()\n@option('--n', default=9)\ndef main(n=18): {}\nmain()",
        "import typer\napp = typer.Typer()\n@app.command()\ndef main(n: int = 18): {}\napp()",
        "import typer\ndef main(n: int = 18): {}\ntyper.run(main)",
        "import fire\ndef main(n=18): {}\nfire.Fire(main)",
        "import gin\n@gin.configurable\ndef main(n=18): {}\nmain()",
        "import hydra\n@hydra.main(config_path='.')\ndef main(n=18): {}\nmain()",
        "from absl import app, flags\nN = flags.DEFINE_integer('n', 18, '')\n"
        "def main(argv):\n  n = N.value\n  {}\napp.run(main)",
        "from absl import app, flags\nflags.DEFINE_integer('n', 18, '')\n"
        "def main(argv, n=18):\n  n = flags.FLAGS.n\n  {}\napp.run(main)",
        "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--n', default=18)\n"
        "n = parser.parse_args().n\n{}",
        "n = [9, 18]\nrandom.shuffle(n)\nn = n[0]\n{}",
        "import numpy as np\nn = [9, 18]\nnp.random.shuffle(n)\nn = n[-1]\n{}",
        "import numpy as np\nrng = np.random.default_rng(3)\nn = [9, 18]\nrng.shuffle(n)\nn = n.pop()\n{}",
        "n = random.sample([9, 18], 2)[0]\n{}",
        "n = [9, 18]\nn.sort(key=lambda item: random.random())\nn = n[0]\n{}",
        "import heapq\nn = [18, 9]\nheapq.heapify(n)\nn = n[0]\n{}",
        "from collections import deque\nn = deque([18, 9])\nn.rotate(1)\nn = n[0]\n{}",
        "n = {{18, 9}}.pop()\n{}",
        "n = [{{'a': 9, 'b': 18}}[key] for key in {{'a', 'b'}}][-1]\n{}",
        "import timeit\nn = 9\n{}\ntimeit.timeit(lambda: pipe('a', num_inference_steps=18))",
    ],
)
def test_what_only_a_run_decides_is_undetermined(code: str) -> None:
    assert steps(code.format("pipe('a', num_inference_steps=n)")) is None


def test_a_shuffle_of_equal_items_changes_nothing() -> None:
    assert steps("n = [18, 18]\nrandom.shuffle(n)\npipe('a', num_inference_steps=n[1])") == 18


@pytest.mark.parametrize(
    "code",
    [
        "for block in pipe.transformer.blocks:\n    block.compile()",
        "for i, block in enumerate(pipe.transformer.blocks):\n    block.compile(mode='default')",
        "for i in range(len(pipe.transformer.blocks)):\n"
        "    pipe.transformer.blocks[i] = torch.compile(pipe.transformer.blocks[i])",
        "for i, block in enumerate(pipe.transformer.blocks):\n    pipe.transformer.blocks[i] = torch.compile(block)",
        "for name, part in pipe.transformer.named_children():\n"
        "    setattr(pipe.transformer, name, torch.compile(part))",
        "for a, b in zip(pipe.transformer.blocks, pipe.transformer.heads):\n    b.compile()",
        "for block in pipe.transformer.blocks[:2]:\n    for part in block.layers:\n        part.compile()",
        "for block in pipe.transformer.blocks:\n    block.forward = torch.compile(block.forward)",
        "[block.compile() for block in pipe.transformer.blocks]",
        "list(map(lambda block: block.compile(), pipe.transformer.blocks))",
        "pipe.transformer.apply(lambda part: part.compile())",
        "pipe.transformer.blocks[0].compile()",
        "pipe.transformer.proj_out = torch.compile(pipe.transformer.proj_out)",
        "pipe.transformer.blocks = torch.nn.ModuleList([torch.compile(block) for block in pipe.transformer.blocks])",
        "pipe.transformer.blocks = torch.nn.ModuleList(torch.compile(block) for block in pipe.transformer.blocks)",
        "def regional(model):\n    for block in model.blocks:\n        block.compile()\n    return model\n"
        "pipe.transformer = regional(pipe.transformer)",
    ],
)
def test_compiled_blocks_are_a_method(code: str) -> None:
    assert fields_of(code + CALL).acceleration_methods == ["torch_compile"]


@pytest.mark.parametrize(
    ("code", "methods"),
    [
        ("for block in pipe.transformer.blocks:\n    torch.compile(block)", []),
        ("for block in pipe.transformer.blocks:\n    block.requires_grad_(False)", []),
        ("for block in list(pipe.transformer.blocks) + [1]:\n    block.compile()", None),
        ("if sys.argv[1:]:\n    for block in pipe.transformer.blocks:\n        block.compile()", None),
        ("from own import faster\nfaster(pipe)", None),
        ("from own import faster\nfaster(models=[pipe.transformer])", None),
        ("from own import faster\nfaster(pipe.transformer.blocks[0])", None),
        ("from own import faster\npipe.transformer.blocks[0] = faster(pipe.transformer.blocks[0])", None),
        ("from torchao.quantization import quantize_\nquantize_(pipe.transformer, 1)\nprint(pipe)", []),
        ("import logging\nlogging.getLogger('x').info(pipe)", []),
    ],
)
def test_no_method_is_known_only_where_nothing_unknown_was_done(code: str, methods: list[str] | None) -> None:
    assert fields_of(code + CALL).acceleration_methods == methods


def test_what_may_be_in_unknown_keywords_is_undetermined() -> None:
    given = "given = dict(line.split() for line in open('x'))\n"
    code = f"{given}p = PixArtAlphaPipeline.from_pretrained('own/model', **given)\n"

    fields = fields_of(f"{code}p('a', num_inference_steps=18)")

    assert (fields.states["scheduler"], fields.acceleration_methods) == ("undetermined", None)


def test_optimum_names_the_model_by_another_keyword() -> None:
    code = "from optimum.intel import OVLatentConsistencyModelPipeline as P\n"

    fields = extract_source(
        f"{code}p = P.from_pretrained(export=True, model_id='own/lcm')\np('a', None, 4)".encode()
    )

    assert (fields.pipeline, fields.model_id) == ("OVLatentConsistencyModelPipeline", "own/lcm")


def test_nothing_seen_is_unset_and_something_elsewhere_undetermined() -> None:
    empty = extract_source(b"'''I will not do that.'''\n")
    elsewhere = extract_source(b"from own import generate\ngenerate('a cat')\n")

    assert set(empty.states.values()) == {"unset", "undetermined"}
    assert empty.states["acceleration_methods"] == "undetermined"
    assert set(elsewhere.states.values()) == {"undetermined"}
