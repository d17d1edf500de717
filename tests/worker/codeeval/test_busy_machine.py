"""`accsearch evaluate` as users start it, on two cores of which another process keeps one busy."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from tests.busy import bound, busy_core, unthreaded

PROGRAM = """
import sys
from accsearch.cli.app import main
sys.argv = ["accsearch", *{arguments}]
main()
"""
HONEST = """
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
pipe = StableDiffusionPipeline.from_pretrained("{model}", torch_dtype=torch.float32)
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
image = pipe("a red cat", num_inference_steps=4, guidance_scale=4.0).images[0]
"""
SHOW = """
import os
names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
raise RuntimeError(" ".join(str(os.environ.get(name)) for name in names))
"""
ENDLESS = "while True:\n    pass\n"


def line(file: Path, *options: str) -> list[str]:
    arguments = ["evaluate", str(file), "--allow-exec", "--device", "cpu", *options]
    return bound(PROGRAM.format(arguments=arguments))


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ({}, "1 1 PASSIVE 0 0"),
        ({"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "ACTIVE"}, "2 None ACTIVE None None"),
    ],
)
def test_the_file_sees_as_many_threads_as_cores_are_free(
    given: dict[str, str], seen: str, tmp_path: Path
) -> None:
    file = tmp_path / "generated.py"
    file.write_text(SHOW, encoding="utf-8")
    with busy_core():
        ended = subprocess.run(
            line(file, "--json"), env=unthreaded() | given, capture_output=True, text=True, check=False
        )
    assert ended.returncode == 1
    found = json.loads(ended.stdout)
    assert (found["verdict"], found["error"]) == ("failed", f"RuntimeError: {seen} (line 4)")
    assert found["threads"] == int(seen.split()[0])


@pytest.mark.slow
def test_a_busy_machine_is_noted_and_progress_is_printed(tmp_path: Path, tiny_paths: dict[str, Path]) -> None:
    file, prompts = tmp_path / "generated.py", tmp_path / "prompts.txt"
    file.write_text(HONEST.format(model=tiny_paths["sd"]), encoding="utf-8")
    prompts.write_text("a photo of a cat\na red house\nthe green tree\n", encoding="utf-8")
    # Random weights give some seeds' images a score that is not positive, of which no loss is relative.
    options = ["--json", "--quality", "builtin:tiny", "--prompts", str(prompts), "--seed", "7"]
    with busy_core():
        ended = subprocess.run(
            line(file, *options), env=unthreaded(), capture_output=True, text=True, check=False
        )
    found = json.loads(ended.stdout)
    assert found["threads"] == 1
    assert found["cores_used_by_others"] > 0.2
    [remark] = found["remarks"]
    assert remark.startswith("the machine was busy: other processes used ")
    assert remark.endswith("beside 1 thread")
    assert found["relative_quality_loss_ci95"] == [0, 0]
    # Nothing is accelerated: no interval can say that it is, and a wide one says nothing.
    assert found["verdict"] in ("ok", "unresolved")
    assert ended.returncode == (0 if found["verdict"] == "ok" else 1)
    assert (found["error"] is None) == (found["verdict"] == "ok")
    progress = ended.stderr.splitlines()
    assert progress[0].startswith("generated.py: loading it in the sandbox (")
    assert [each for each in progress if each.startswith("generated.py: repeat 3 of 3: baseline ")]
    assert progress[-1] == "generated.py: looking at the images"


def test_ctrl_c_ends_it_with_a_line(tmp_path: Path) -> None:
    file = tmp_path / "generated.py"
    file.write_text(ENDLESS, encoding="utf-8")
    with subprocess.Popen(
        line(file), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr is not None
        assert "loading it in the sandbox" in process.stderr.readline()
        # As a terminal does: to every process in the foreground.
        os.killpg(process.pid, signal.SIGINT)
        out, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert out == ""
    assert errors == "accsearch: interrupted: nothing is kept of what was being measured\n"
