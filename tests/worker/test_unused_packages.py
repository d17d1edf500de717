"""What diffusers and transformers see of packages that a task does without."""

import importlib.util
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from accsearch.config.load import build_config
from accsearch.grid import expand, worker_imports
from accsearch.task import Trial
from accsearch.worker.unused_packages import leave_out_unused, left_out_package

SHOW = """
from accsearch.demo.operators import register_torchvision_operators
from accsearch.worker.unused_packages import leave_out_unused
leave_out_unused([])
register_torchvision_operators()
from diffusers import DDIMScheduler, StableDiffusionPipeline
from transformers.utils import is_torchao_available
print(is_torchao_available(), sys.modules.get("torchao") is not None)
leave_out_unused(["torchao"])
import torchao
print(torchao.NAME)
"""
PACKAGE = 'NAME = "stand-in"\n__version__ = "0.18.0"\n'
METADATA = "Metadata-Version: 2.1\nName: torchao\nVersion: 0.18.0\n"


@pytest.fixture
def torchao(tmp_path: Path) -> Path:
    """Return a folder with a package of torchao's name, installed as far as others can tell."""
    for folder, file, text in (
        ("torchao", "__init__.py", PACKAGE),
        ("torchao-0.18.0.dist-info", "METADATA", METADATA),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).write_text(text)
    return tmp_path


def test_what_is_left_out_counts_as_not_installed_until_a_task_uses_it(torchao: Path) -> None:
    code = f"import sys\nsys.path.insert(0, {str(torchao)!r})\n" + SHOW
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.split("\n")[:2] == ["False False", "stand-in"]


def test_an_error_that_asks_for_what_is_left_out_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torchao", raising=False)
    error = ImportError("Loading a TorchAO quantized model requires the torchao library.")
    assert left_out_package(error) is None
    leave_out_unused([])
    assert left_out_package(error) == "torchao"
    assert left_out_package(ImportError("No module named 'ftfy'")) is None
    leave_out_unused(["cache_dit", "torchao"])
    assert left_out_package(error) is None


def test_scikit_learn_is_used_by_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "sklearn", raising=False)
    leave_out_unused(["cache_dit", "torchao"])
    assert importlib.util.find_spec("sklearn") is None
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("sklearn")


def test_a_task_does_without_the_packages_of_methods_that_it_lacks() -> None:
    grid = {"pipe": ["SD1.5"], "sched": ["DDIM"], "steps": [20]}
    config = build_config({"grid": grid, "methods": {}})
    (task,) = expand(config).tasks
    assert "torchao" not in worker_imports(config, task)
    quantized = replace(task, trials=(*task.trials, Trial("quantized", {"quantize": {}})))
    assert "torchao" in worker_imports(config, quantized)
