"""The code without accsearch that `best --snippet` prints makes the images of accsearch's own methods."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from accsearch.config.load import load_config
from accsearch.methods.catalogue import METHODS
from accsearch.methods.combinations import complete, trial_id
from accsearch.report.snippet import snippet_of
from accsearch.task import Task

ROOT = Path(__file__).parents[2]
ROW = {
    "trial": "t",
    "speedup": 1.5,
    "speedup_ci95": [1.4, 1.6],
    "score_loss": 0.0,
    "score_loss_ci95": [0.0, 0.0],
    "max_loss": 0.01,
}
UNET, DIT = ("demo", "DDIM"), ("demo-dit", "FlowMatchEulerDiscrete")
CASES = [
    (*UNET, "deepcache-i2-b0"),
    (*UNET, "tome-r0.5-d1"),
    (*UNET, "deepcache-i2-b0+tome-r0.5-d1"),
    (*UNET, "tgate-g3-s1-f1-w0"),
    (*UNET, "deepcache-i2-b0+tgate-g3-s1-f1-w0+tome-r0.5-d1"),
    (*UNET, "fewer_steps-r0.5"),
    (*DIT, "first_block_cache-t0.3"),
    (*DIT, "mag_cache-t0.3-k3-r0.2"),
    (*DIT, "taylorseer-i3-w2-o1-attention"),
    (*DIT, "taylorseer-i3-w2-o1-blocks"),
    (*DIT, "first_block_cache-t0.3+attention-math"),
]


def without(program: str) -> str:
    """Return the program with its commented code in place of accsearch's."""
    load, _, rest = program.partition("with accsearch.accelerate")
    _, head, code = rest.partition("# The same without accsearch")
    assert head, program
    lines = code.splitlines()[1:]
    return load + "".join(line.removeprefix("# ") + "\n" for line in lines)


def printed(tmp_path: Path, pipe: str, sched: str, trial: str, steps: int = 20, more: str = "") -> str:
    path = tmp_path / "c.yaml"
    path.write_text(f"grid: {{pipe: [{pipe}], sched: [{sched}], steps: [{steps}]}}\n{more}", encoding="utf-8")
    axes = {"pipe": pipe, "sched": sched, "steps": steps}
    program = snippet_of(ROW, trial, load_config(path), Task("t", "c", axes, ""))
    compile(program, "snippet", "exec")
    return program


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[bool]]:
    """What one fresh interpreter finds for every case; it imports torch and diffusers once."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.report.elsewhere_program"],
        input=json.dumps(CASES),
        cwd=tmp_path_factory.mktemp("run"),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, list[bool]] = json.loads(ran.stdout.splitlines()[-1])
    return found


@pytest.mark.process
@pytest.mark.parametrize("trial", [trial for _, _, trial in CASES])
def test_the_code_without_accsearch_makes_the_same_image(answers: dict[str, list[bool]], trial: str) -> None:
    assert answers[trial] == [True, True]


@pytest.mark.parametrize(
    ("pipe", "sched", "trial", "reason"),
    [
        ("demo", "HeunDiscrete", "deepcache-i2-b0", "the package of deepcache runs wrong on HeunDiscrete"),
        ("demo", "PNDM", "deepcache-i2-b0", "schedule shifts on PNDM"),
        ("SD3", "FlowMatchEulerDiscrete", "first_block_cache-t0.1", "enters no cache context"),
        ("demo", "DDIM", "step_cache-tp50-w3", "quantile|step_cache is its own"),
        ("demo", "DDIM", "guidance_cutoff-s10", "leaves out a half in batches"),
        (
            "demo-dit",
            "FlowMatchEulerDiscrete",
            "mag_cache-t0.3-k3-r0.2",
            "ratios are not in the task's files",
        ),
    ],
)
def test_it_says_why_only_accsearch_does_it(
    tmp_path: Path, pipe: str, sched: str, trial: str, reason: str
) -> None:
    import re

    last = printed(tmp_path, pipe, sched, trial).splitlines()[-1]
    assert re.search(f"# Only accsearch does this: .*({reason})", last)


@pytest.mark.parametrize(
    ("pipe", "sched", "trial", "package"),
    [
        ("demo", "DDIM", "tgate-g3-s1-f1-w0", "tgate:"),
        ("SDXL", "DDIM", "tgate-g3-s1-f1-w0", "tgate (images not compared):"),
        (*DIT, "attention-math", "diffusers:"),
        (*DIT, "attention-flash", "diffusers (images not compared):"),
        ("demo", "DDIM", trial_id(complete({"compile": {}})), "torch (images not compared):"),
    ],
)
def test_it_says_which_code_was_not_compared(
    tmp_path: Path, pipe: str, sched: str, trial: str, package: str
) -> None:
    program = printed(tmp_path, pipe, sched, trial)
    assert f"# The same without accsearch, by {package}\n" in program


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_code_or_a_reason(tmp_path: Path, name: str) -> None:
    program = printed(tmp_path, "demo", "DDIM", trial_id(complete({name: {}})))
    assert ("# The same without accsearch, by " in program) != ("# Only accsearch does this: " in program)


def test_the_file_of_cache_dit_has_its_documented_keys(tmp_path: Path) -> None:
    trial = trial_id(complete({"cache_dit": {"first": 2, "last": 1, "threshold": 0.12, "warm_up": 4}}))
    code = without(printed(tmp_path, "demo-dit", "FlowMatchEulerDiscrete", trial))
    assert yaml.safe_load(code.split('"""\\\n')[1].split('"""')[0]) == {
        "cache_config": {
            "Fn_compute_blocks": 2,
            "Bn_compute_blocks": 1,
            "residual_diff_threshold": 0.12,
            "max_warmup_steps": 4,
        }
    }
