"""A configuration that is right: defaults, values as written, overrides, paths, the stored form."""

from pathlib import Path

import pytest

from accsearch.config.load import build_config, load_config
from accsearch.config.schema import Config

CONTRACT = """
name: sd15
grid:
  pipe: [SD1.5]
  sched: [DDIM, PNDM, DPMSolverMultistep, EulerDiscrete, UniPCMultistep]
  steps: [20, 50]
worker:
  kind: traversal_search
  num_samples: 32
  batch_size: 4
  seed: 42
  device: cuda
  dtype: float16
  repeats: 3
  env: {}
  timeout: null
  stall_timeout: 30m
  command: ["python", "my_search.py", "--pipe", "{pipe}", "--sched", "{sched}", "--steps", "{steps}"]
  success_sentinel: "Successfully completed"
  failure_patterns: ["CUDA out of memory", "^Traceback "]
prompts: {dataset: phiyodr/coco2017, split: validation, column: captions}
quality: {model: ViT-g-14, pretrained: laion2b_s34b_b88k}
methods:
  deepcache: {cache_interval: [2, 3, 5], cache_branch_id: [0, 3]}
  tgate: {gate_step: [10, 25], sp_interval: [1, 5], fi_interval: [1], warm_up: [2]}
  tome: {ratio: [0.3, 0.5], max_downsample: [1, 2]}
search: {strategy: traversal}
gpus: {max_utilization: 5, max_used_memory: 1GiB, min_free_memory: 10GiB, samples: 3, allow_cpu: false}
retry: {max_attempts: 2, on_oom: halve_batch}
"""
MINIMAL = "grid: {pipe: [SD1.5], sched: [DDIM], steps: [50]}\n"


def write(folder: Path, text: str, name: str = "run.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_documented_defaults_are_the_defaults(tmp_path: Path) -> None:
    documented = load_config(write(tmp_path, CONTRACT))
    grid = CONTRACT[CONTRACT.index("grid:") : CONTRACT.index("worker:")]

    smallest = load_config(write(tmp_path, "name: sd15\n" + grid))

    command = {"worker": {"command"}, "facts": {"default_methods"}}
    assert documented.model_dump(exclude=command) == smallest.model_dump(exclude=command)
    assert documented.worker.stall_timeout == 1800.0
    assert documented.gpus.max_used_memory == 1 << 30


def test_the_name_defaults_to_the_files(tmp_path: Path) -> None:
    assert load_config(write(tmp_path, MINIMAL, "my-run.yaml")).name == "my-run"
    assert load_config(write(tmp_path, MINIMAL, "my run!.yaml")).name == "my-run-"


def test_axis_values_stay_as_written(tmp_path: Path) -> None:
    text = "grid: {a: [1.50, 007, NO, 1e3, 0x10, yes]}\nworker: {kind: command, command: [echo, 5, '{a}']}\n"

    config = load_config(write(tmp_path, text))

    assert config.grid["a"] == ("1.50", "007", "NO", "1e3", "0x10", "yes")
    assert config.worker.command == ("echo", "5", "{a}")
    assert config.worker.stall_timeout is None


def test_an_environment_keeps_its_texts(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, MINIMAL + "worker: {env: {A: 1, B: 'x: y', C: off}}\n"))

    assert config.worker.env == {"A": "1", "B": "x: y", "C": "off"}


def test_a_single_value_stands_for_a_list(tmp_path: Path) -> None:
    text = (
        "grid: {pipe: SD1.5, sched: DDIM, steps: 20}\nmethods: {tgate: {gate_step: 8}}\ngpus: {exclude: 0}\n"
    )

    config = load_config(write(tmp_path, text))

    assert config.grid == {"pipe": ("SD1.5",), "sched": ("DDIM",), "steps": ("20",)}
    assert config.methods == {"tgate": {"gate_step": (8,)}}
    assert config.gpus.exclude == ("0",)


def test_overrides_replace_one_key_in_order(tmp_path: Path) -> None:
    path = write(tmp_path, CONTRACT)

    config = load_config(
        path, ["worker.num_samples=8", "worker.num_samples=16", "retry.backoff=1m", "grid.steps=[50]"]
    )

    assert config.worker.num_samples == 16
    assert config.worker.batch_size == 4
    assert config.retry.backoff == 60.0
    assert config.grid["steps"] == ("50",)


def test_an_override_creates_the_section_it_needs(tmp_path: Path) -> None:
    config = load_config(
        write(tmp_path, MINIMAL + "search:\n"), ["search.strategy=upper_bound", "gpus.samples=1"]
    )

    assert (config.search.strategy, config.gpus.samples) == ("upper_bound", 1)


def test_an_override_of_a_shared_mapping_changes_one_place(tmp_path: Path) -> None:
    text = MINIMAL + "methods: {tome: &t {ratio: [0.5]}, fewer_steps: *t}\n"

    config = load_config(write(tmp_path, text), ["methods.tome.ratio=[0.3]"])

    assert config.methods == {"tome": {"ratio": (0.3,)}, "fewer_steps": {"ratio": (0.5,)}}


def test_the_builtin_pipelines_bring_their_prompts_and_scorer() -> None:
    tiny = {"name": "tiny", "model": "builtin:tiny-sd"}
    config = build_config(
        {"grid": {"pipe": [tiny], "sched": ["DDIM"], "steps": [4]}, "prompts": {"file": __file__}}
    )

    assert config.quality.model == "builtin:tiny"
    assert config.prompts.file == __file__
    assert config.model("tiny").model_id == "builtin:tiny-sd"


def test_a_prompts_file_is_found_beside_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside, here = tmp_path / "configs", tmp_path / "here"
    beside.mkdir()
    here.mkdir()
    (beside / "prompts.txt").write_text("a cat\n" * 32, encoding="utf-8")
    monkeypatch.chdir(here)

    config = load_config(write(beside, MINIMAL + "prompts: {file: prompts.txt}\n"))

    assert config.prompts.file == str(beside / "prompts.txt")


def test_saying_no_methods_searches_nothing_but_the_baseline(tmp_path: Path) -> None:
    assert load_config(write(tmp_path, MINIMAL + "methods: {}\n")).methods == {}
    assert "tome" in load_config(write(tmp_path, MINIMAL + "methods: {implementation: package}\n")).methods


def test_more_repeats_than_the_default_cap_raise_it() -> None:
    data = {"grid": {"pipe": ["SD1.5"], "sched": ["DDIM"], "steps": [50]}, "worker": {"repeats": 20}}

    assert build_config(data).worker.max_repeats == 20


def test_the_stored_form_gives_the_configuration_back_without_other_files(tmp_path: Path) -> None:
    prompts = write(tmp_path, "a cat\n" * 32, "prompts.txt")
    config = load_config(
        write(
            tmp_path,
            CONTRACT.replace("{dataset: phiyodr/coco2017", "{file: prompts.txt").replace(
                ", column: captions}\nquality", "}\nquality"
            ),
        )
    )
    stored = config.resolved()
    prompts.unlink()

    assert Config.from_resolved(stored) == config


@pytest.mark.parametrize("path", sorted(Path("configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_configurations_are_named_like_their_files(path: Path) -> None:
    assert load_config(path).name == path.stem
