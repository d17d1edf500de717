"""What a benchmark keeps from the files it judges."""

import json
from pathlib import Path

import pytest

from accsearch.task import WorkerExit
from accsearch.worker.codeeval.__main__ import main


def test_a_reference_beside_the_weights_is_a_mistake_of_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "model_index.json").write_text("{}", encoding="utf-8")
    (weights / "reference.py").write_text("pipe = 1", encoding="utf-8")
    (tmp_path / "generated.py").write_text(
        "from diffusers import DiffusionPipeline\n"
        f"pipe = DiffusionPipeline.from_pretrained('{weights}')\npipe('a cat')\n",
        encoding="utf-8",
    )
    benchmark = tmp_path / "tasks.jsonl"
    task = {"id": "one", "generated": "generated.py", "reference": "weights/reference.py"}
    benchmark.write_text(json.dumps(task), encoding="utf-8")
    out = tmp_path / "out.jsonl"
    line = ["--benchmark", str(benchmark), "--entry", "one", "--out", str(out), "--device", "cpu"]
    assert main(line) == WorkerExit.CONFIG
    assert f"move it out of {weights}" in capsys.readouterr().err
    assert not out.exists()
