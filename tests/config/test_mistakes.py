"""Every mistake in a configuration is one line: file, line, key, what is allowed, the nearest valid name."""

from pathlib import Path

import pytest

from accsearch.config.load import load_config
from accsearch.errors import ConfigError

GRID = "grid: {pipe: [SD1.5], sched: [DDIM], steps: [20, 50]}\n"
COMMAND = "grid: {size: [1, 2]}\nworker:\n  kind: command\n"

MISTAKES = {
    "unknown top-level key": ("gird: {}\n", "1: gird: unknown key", "did you mean grid?"),
    "resolved-only key": (GRID + "facts: {}\n", "2: facts: unknown key", "allowed name, grid"),
    "unknown nested key": (
        GRID + "worker:\n  num_sample: 4\n",
        "3: worker.num_sample: unknown key",
        "num_samples?",
    ),
    "wrong type": (
        GRID + "worker:\n  num_samples: many\n",
        "3: worker.num_samples: 'many'",
        "a whole number",
    ),
    "bool is no number": (
        GRID + "worker: {num_samples: true}\n",
        "2: worker.num_samples: true",
        "whole number",
    ),
    "float is no count": (GRID + "worker: {batch_size: 2.5}\n", "2: worker.batch_size: 2.5", "whole number"),
    "NO is no boolean": (GRID + "gpus: {allow_cpu: NO}\n", "2: gpus.allow_cpu: 'NO'", "true or false"),
    "out of bounds": (GRID + "worker: {batch_size: 0}\n", "2: worker.batch_size: 0", "at least 1"),
    "not a choice": (
        GRID + "worker: {dtype: float61}\n",
        "2: worker.dtype: 'float61'",
        "did you mean float16?",
    ),
    "unknown worker kind": (
        GRID + "worker: {kind: comand}\n",
        "2: worker.kind: 'comand'",
        "did you mean command?",
    ),
    "section is a list": (GRID + "worker: [1]\n", "2: worker: a list", "a mapping"),
    "no grid": ("worker: {seed: 1}\n", "1: grid: is missing", "allowed axes"),
    "empty file": ("", "1: grid: is missing", "allowed axes"),
    "empty axis": (GRID.replace("[DDIM]", "[]"), "1: grid.sched: is empty", "one value or more"),
    "null axis": (GRID.replace("[DDIM]", ""), "1: grid.sched: null", "a list"),
    "missing axis": (
        "grid: {pipe: [SD1.5], sched: [DDIM]}\n",
        "1: grid.steps: is missing",
        "pipe, sched, steps",
    ),
    "misspelt axis": (
        GRID.replace("sched", "shced"),
        "1: grid.shced: unknown axis (allowed pipe, sched, steps",
        "did you mean sched?",
    ),
    "additional axis": (
        "grid: {pipe: [SD1.5], sched: [DDIM], steps: [20], seeds: [1]}\n",
        "1: grid.seeds: unknown axis",
        "pipe, sched, steps",
    ),
    "unknown model": (
        GRID.replace("SD1.5", "SD15"),
        "1: grid.pipe[0]: unknown model SD15",
        "did you mean SD1.5?",
    ),
    "unknown scheduler": (
        GRID.replace("DDIM", "DDMI"),
        "1: grid.sched[0]: unknown scheduler DDMI",
        "mean DDIM?",
    ),
    "scheduler in the wrong case": (
        GRID.replace("DDIM", "eulerdiscrete"),
        "1: grid.sched[0]",
        "mean EulerDiscrete?",
    ),
    "steps of zero": (GRID.replace("[20, 50]", "[0]"), "1: grid.steps[0]: 0 is not allowed", "1 to 1000"),
    "negative steps": (GRID.replace("[20, 50]", "[-5]"), "1: grid.steps[0]: '-5'", "allowed letters, digits"),
    "steps with a zero in front": (GRID.replace("[20, 50]", "[050]"), "1: grid.steps[0]: 050", "1 to 1000"),
    "steps beyond the training's": (
        GRID.replace("[20, 50]", "[20, 1001]"),
        "1: grid.steps[1]: 1001 is not allowed",
        "1 to 1000",
    ),
    "steps as text": (GRID.replace("[20, 50]", "[many]"), "1: grid.steps[0]: many", "1 to 1000"),
    "underscore in a value": (
        COMMAND.replace("1, 2", "a_b") + "  command: [echo]\n",
        "1: grid.size[0]: 'a_b'",
        "no underscore",
    ),
    "value given twice": (GRID.replace("50", "20"), "1: grid.steps[1]: 20 is given twice", "one id"),
    "one scheduler by two names": (
        GRID.replace("DDIM", "DDIM, DDIMScheduler"),
        "1: grid.sched[1]: DDIMScheduler is the same scheduler as DDIM",
        "",
    ),
    "one name for two models": (
        GRID.replace("SD1.5", "demo, {name: demo, model: SDXL}"),
        "1: grid.pipe[1]: demo is given twice",
        "one id",
    ),
    "axis given twice": (
        "grid:\n  pipe: [SD1.5]\n  pipe: [SDXL]\n",
        "3: grid.pipe: duplicate key",
        "first on line 2",
    ),
    "id too long": (
        "grid: {a: [" + "x" * 150 + "], b: [" + "y" * 60 + "]}\nworker: {kind: command, command: [echo]}\n",
        "1: grid:",
        "200",
    ),
    "unknown method": (
        GRID + "methods:\n  deepcach: {}\n",
        "3: methods.deepcach: unknown method",
        "mean deepcache?",
    ),
    "unknown parameter": (
        GRID + "methods:\n  tgate:\n    warmup: [2]\n",
        "4: methods.tgate.warmup: unknown parameter",
        "did you mean warm_up?",
    ),
    "gate beyond every steps": (
        GRID + "methods:\n  tgate:\n    gate_step: [10, 50]\n",
        "4: methods.tgate.gate_step[1]: no cell of the grid admits it",
        "gate_step 50 is not below 20 steps",
    ),
    "branch beyond the UNet": (
        GRID + "methods: {deepcache: {cache_branch_id: [12]}}\n",
        "2: methods.deepcache.cache_branch_id[0]: no cell",
        "branches 0 to 11",
    ),
    "ratio too large": (
        GRID + "methods: {tome: {ratio: [0.8]}}\n",
        "2: methods.tome.ratio[0]: 0.8",
        "to 0.75",
    ),
    "interval of one": (
        GRID + "methods: {deepcache: {cache_interval: 1}}\n",
        "2: methods.deepcache.",
        "at least 2",
    ),
    "empty parameter list": (
        GRID + "methods: {tome: {ratio: []}}\n",
        "2: methods.tome.ratio: is empty",
        "0.75",
    ),
    "parameter value twice": (
        GRID + "methods: {tome: {ratio: [0.5, 0.50]}}\n",
        "2: methods.tome.ratio[1]",
        "twice",
    ),
    "merging nothing on SDXL": (
        GRID.replace("SD1.5", "SDXL") + "methods: {tome: {max_downsample: [1]}}\n",
        "2: methods.tome.max_downsample[0]: no cell",
        "merges nothing",
    ),
    "method without effect anywhere": (
        GRID + "methods: {half: {dtype: [float16]}}\n",
        "2: methods.half.dtype[0]: no cell",
        "already the baseline's",
    ),
    "unknown implementation": (
        GRID + "methods: {implementation: own}\n",
        "2: methods.implementation: own",
        "native",
    ),
    "hub model without a class": (
        GRID.replace("SD1.5", "{name: x, model: a/b}"),
        "1: grid.pipe[0]: a/b is not in the registry",
        "`class`",
    ),
    "missing model folder": (
        GRID.replace("SD1.5", "{name: x, model: ./gone}"),
        "1: grid.pipe[0]: no folder ./gone",
        "",
    ),
    "unknown key of a model": (
        GRID.replace("SD1.5", "{name: x, modell: SDXL}"),
        "1: grid.pipe[0].modell: unknown key",
        "did you mean model?",
    ),
    "unknown built-in": (
        GRID.replace("SD1.5", '{name: x, model: "builtin:dmeo"}'),
        "1: grid.pipe[0]",
        "builtin:demo?",
    ),
    "flow scheduler on SD": (
        GRID.replace("DDIM", "FlowMatchEulerDiscrete"),
        "1: grid.sched[0]",
        "flow-matching",
    ),
    "no command": (COMMAND, "2: worker.command: is missing", "a program and its arguments"),
    "command as text": (COMMAND + "  command: echo {size}\n", "4: worker.command: 'echo {size}'", "a list"),
    "unknown placeholder": (
        COMMAND + "  command:\n    - echo\n    - '{sise}'\n",
        "6: worker.command[1]: unknown placeholder {sise}",
        "did you mean size?",
    ),
    "attribute of a placeholder": (
        COMMAND + "  command: [echo]\n  success_sentinel: 'ok {sizes}'\n",
        "5: worker.success_sentinel: unknown placeholder",
        "did you mean size?",
    ),
    "broken pattern": (
        COMMAND + "  command: [echo]\n  failure_patterns: ['(']\n",
        "5: worker.failure_patterns[0]: '(' is not a regular expression",
        "",
    ),
    "reserved axis": (
        COMMAND.replace("size", "task") + "  command: [echo]\n",
        "1: grid.task: ",
        "cannot be named",
    ),
    "bad duration": (GRID + "worker: {timeout: 12 parsecs}\n", "2: worker.timeout: '12 parsecs'", "30m"),
    "less than no time": (GRID + "worker: {stall_timeout: -5}\n", "2: worker.stall_timeout: -5", "0 or more"),
    "clock time is no duration": (GRID + "worker: {timeout: 1:30}\n", "2: worker.timeout: '1:30'", "30m"),
    "bad size": (GRID + "gpus: {max_used_memory: 1 GiBB}\n", "2: gpus.max_used_memory", "1GiB"),
    "missing prompts": (GRID + "prompts: {file: gone.txt}\n", "2: prompts.file: no file gone.txt", ""),
    "two sources of prompts": (GRID + "prompts: {file: a, dataset: b}\n", "2: prompts: allowed either", ""),
    "unknown built-in scorer": (
        GRID + "quality: {model: 'builtin:dem'}\n",
        "2: quality.model: ",
        "builtin:demo?",
    ),
    "unknown scorer": (
        GRID + "quality: {model: ViT-g-41}\n",
        "2: quality.model: open_clip has no architecture ViT-g-41",
        "ViT-g-14?",
    ),
    "more prompts than there are": (
        GRID.replace("SD1.5", "demo") + "worker:\n  num_samples: 400\n",
        "3: worker.num_samples: 400 is not allowed",
        "allowed at most 320, the prompts in builtin:demo",
    ),
    "missing folder of a data set": (
        GRID + "prompts: {dataset: ./coco}\n",
        "2: prompts.dataset: no folder ./coco",
        "a hub name OWNER/NAME",
    ),
    "missing folder of a scorer": (
        GRID + "quality: {model: 'local-dir:/gone'}\n",
        "2: quality.model: /gone is no folder of open_clip",
        "open_clip_config.json",
    ),
    "missing weights of a scorer": (
        GRID + "quality:\n  model: ViT-B-32\n  pretrained: weights/gone.pt\n",
        "4: quality.pretrained: no file weights/gone.pt",
        "a tag of open_clip",
    ),
    "missing weights beside the configuration": (
        GRID + "quality: {model: ViT-B-32, pretrained: gone.safetensors}\n",
        "2: quality.pretrained: no file gone.safetensors",
        "allowed a file",
    ),
    "short name of a type": (GRID + "worker: {dtype: fp16}\n", "2: worker.dtype: 'fp16'", "mean float16?"),
    "short name of a type of a method": (
        GRID + "methods: {half: {dtype: [bf16]}}\n",
        "2: methods.half.dtype[0]: bf16 is not allowed",
        "did you mean bfloat16?",
    ),
    "another name of the device": (GRID + "worker: {device: gpu}\n", "2: worker.device: 'gpu'", "mean cuda?"),
    "a hub id in the place of an alias": (
        GRID.replace("SD1.5", "stabilityai/sdxl-turbo"),
        "1: grid.pipe[0]: stabilityai/sdxl-turbo is no alias",
        "write {name: sdxl-turbo, model: stabilityai/sdxl-turbo}",
    ),
    "a folder in the place of an alias": (
        GRID.replace("SD1.5", "SDXL, ./my_models/tuned_1/"),
        "1: grid.pipe[1]: ./my_models/tuned_1/ is no alias",
        "write {name: tuned1, model: ./my_models/tuned_1/}",
    ),
    "several values without brackets": (
        GRID.replace("[20, 50]", "'20, 50'"),
        "1: grid.steps[0]: '20, 50' is not a valid name here",
        "did you mean [20, 50]?",
    ),
    "a tab as indentation": ("grid:\n\tpipe: [SD1.5]\n", "2: a tab, where YAML allows spaces alone", ""),
    "a tab before a value": (
        GRID + "worker:\n  \tseed: 1\n",
        "3: a tab, where YAML allows spaces alone",
        "",
    ),
    "a tag that the scorer has not": (
        GRID + "quality: {model: ViT-L-14, pretrained: laion2b_s34b_b79k}\n",
        "2: quality.pretrained: ViT-L-14 has no weights laion2b_s34b_b79k",
        "did you mean laion2b_s32b_b82k?",
    ),
    "a tag of another architecture": (
        GRID + "quality: {model: ViT-H-14, pretrained: dfn2b}\n",
        "2: quality.pretrained: ViT-H-14 has no weights dfn2b",
        "",
    ),
    "a scorer without weights": (
        GRID + "quality: {model: ViT-L-14}\n",
        "2: quality.pretrained: is missing for ViT-L-14",
        "allowed openai, ",
    ),
    "quick GELU": (
        GRID + "quality:\n  model: ViT-B-16\n  pretrained: openai\n",
        "3: quality.model: openai was trained with quick GELU",
        "did you mean ViT-B-16-quickgelu?",
    ),
    "no quick GELU": (
        GRID + "quality: {model: ViT-B-32-quickgelu, pretrained: laion2b_e16}\n",
        "2: quality.pretrained: ViT-B-32-quickgelu has no weights laion2b_e16",
        "",
    ),
    "EDM scheduler on SD": (
        GRID.replace("DDIM", "EDMDPMSolverMultistep"),
        "1: grid.sched[0]",
        "EDM models only",
    ),
    "scheduler of other pipelines": (
        GRID.replace("DDIM", "DDIM, CogVideoXDPMScheduler"),
        "1: grid.sched[1]: CogVideoXDPMScheduler samples CogVideoX alone",
        "",
    ),
    "scheduler from image to noise": (GRID.replace("DDIM", "DDIMInverse"), "1: grid.sched[0]", "to noise"),
    "diffusion scheduler on a flow-matching model": (
        GRID.replace("SD1.5", "{name: x, model: a/b, class: FluxPipeline}"),
        "1: grid.sched[0]: DDIM draws noise with x, a flow-matching model",
        "(allowed FlowMatchEulerDiscrete, ",
    ),
    "more steps than a distilled model has": (
        GRID.replace("DDIM", "DDIM, TCD").replace("[20, 50]", "[50, 51]"),
        "1: grid.steps[1]: 51 is not allowed with SD1.5: TCD takes at most 50 steps",
        "",
    ),
    "as many steps as timesteps": (
        GRID.replace("DDIM", "UniPCMultistep").replace("[20, 50]", "[999, 1000]"),
        "1: grid.steps[1]: 1000 is not allowed with SD1.5: UniPCMultistep takes at most 999 steps",
        "",
    ),
    "fewer steps than PNDM needs": (
        GRID.replace("SD1.5", "demo").replace("DDIM", "PNDM").replace("[20, 50]", "[3]"),
        "1: grid.steps[0]: 3 is not allowed with demo: PNDM takes at least 4 steps",
        "",
    ),
    "video": (
        GRID.replace("SD1.5", "{name: x, model: a/b, class: HunyuanVideoPipeline}"),
        "1: grid.pipe[0]: HunyuanVideoPipeline makes video",
        "",
    ),
    "loss in per cent with a hint": (
        GRID + "search: {max_score_loss: [0.01, 5]}\n",
        "2: search.max_score_loss[1]: 5 is not allowed",
        "did you mean 0.05?",
    ),
    "a confidence in per cent": (
        GRID + "search: {strategy: upper_bound, confidence: 95}\n",
        "2: search.confidence: 95 is not allowed",
        "at most 0.9999",
    ),
    "a budget that is none": (
        GRID + "search: {strategy: upper_bound, budget: soon}\n",
        "2: search.budget: 'soon' is not one",
        "30m or 2h, a number of trials",
    ),
    "a budget of a traversal": (
        GRID + "search: {budget: 2h}\n",
        "2: search.budget: needs search.strategy: upper_bound",
        "",
    ),
    "negative loss": (
        GRID + "search: {max_score_loss: [0.01, -0.1]}\n",
        "2: search.max_score_loss[1]: -0.1 is not allowed",
        "at least 0",
    ),
    "loss in per cent": (
        GRID + "search: {max_score_loss: 5}\n",
        "2: search.max_score_loss",
        "at most 1",
    ),
    "repeats above their cap": (
        GRID + "worker: {repeats: 5, max_repeats: 2}\n",
        "2: worker.max_repeats: 2",
        "at least repeats, 5",
    ),
    "bad name": ("name: my run\n" + GRID, "1: name: 'my run'", "letters, digits"),
    "duplicate key": (
        GRID + "worker:\n  seed: 1\n  seed: 2\n",
        "4: worker.seed: duplicate key",
        "first on line 3",
    ),
    "not YAML": ("grid: [1\nworker: }\n", "2: not YAML", ""),
    "a tag": ("grid: !!python/object:os.system {}\n", "1: the tag", "not allowed"),
    "a list at the top": ("- 1\n", "1: a configuration is a mapping", ""),
    "two documents": (GRID + "---\n" + GRID, "3: a second document", ""),
    "recursive alias": ("grid: &a {pipe: *a}\n", "1: no complete value", ""),
    "many nested brackets": ("grid: " + "[" * 5000, "1: nested deeper", ""),
    "exploding aliases": (
        "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
        + "".join(
            f"{b}: &{b} [{','.join(['*' + a] * 10)}]\n" for a, b in zip("abcdef", "bcdefg", strict=True)
        ),
        "5: more than 100000 values",
        "",
    ),
}


@pytest.mark.parametrize(("text", "start", "rest"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_one_located_line(tmp_path: Path, text: str, start: str, rest: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        load_config(path)

    message = str(caught.value)
    assert message.startswith(f"{path}:{start}")
    assert rest in message
    assert "\n" not in message
    assert caught.value.exit_code == 2


def test_every_mistake_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(
        "gird: 1\n"
        "grid: {pipe: [SD15, {name: x, modell: SDXL}, some/model], sched: [DDIMM], steps: [0, 20]}\n"
        "worker: {dtype: fp16, batch_size: 0, max_repeats: 1}\n"
        "methods: {tome: {ratio: [2], rate: 1}, deepcach: {}}\n"
        "quality: {model: ViT-g-41}\n"
        "search: {strategy: all}\n"
    )

    with pytest.raises(ConfigError) as caught:
        load_config(path)

    said = [line.removeprefix(f"{path}:").split(": ")[:2] for line in caught.value.lines]
    assert said == [
        ["1", "gird"],
        ["2", "grid.pipe[2]"],
        ["3", "worker.batch_size"],
        ["3", "worker.dtype"],
        ["6", "search.strategy"],
        ["2", "grid.pipe[0]"],
        ["2", "grid.pipe[1].modell"],
        ["4", "methods.tome.ratio[0]"],
        ["4", "methods.tome.rate"],
        ["4", "methods.deepcach"],
        ["2", "grid.sched[0]"],
        ["2", "grid.steps[0]"],
        ["5", "quality.model"],
    ]
    assert caught.value.exit_code == 2


def test_what_only_follows_from_a_mistake_is_not_said(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    # Without their mistakes the list of steps would be missing and the repeats above their cap.
    path.write_text(
        "grid: {pipe: [SD1.5], sched: [DDIM], steps: [a_b]}\nworker: {repeats: x, max_repeats: 2}\n"
    )

    with pytest.raises(ConfigError) as caught:
        load_config(path)

    assert [line.split(": ")[1] for line in caught.value.lines] == ["grid.steps[0]", "worker.repeats"]


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.yaml: cannot be read: No such file or directory$"):
        load_config(tmp_path / "gone.yaml")


def test_bytes_that_are_not_utf8_are_located(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_bytes(b"name: a\ngrid: \xff\n")

    with pytest.raises(ConfigError, match=r"run\.yaml:2: not UTF-8$"):
        load_config(path)


def test_an_enormous_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_bytes(b"#" * (1 << 20) + b"\n")

    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        load_config(path)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("worker.seed", "-o worker.seed: write it as key.path=value"),
        ("worker.sed=1", "-o worker.sed=1: worker.sed: unknown key (allowed kind,"),
        ("grid.steps=[0]", "-o grid.steps=[0]: grid.steps[0]: 0 is not allowed"),
        ("worker.seed.deep=1", "-o worker.seed.deep=1: worker.seed has no keys"),
        ("methods={tome: {ratio: [0.9]}}", "methods.tome.ratio[0]: 0.9 is not allowed"),
        ("worker.env=[", "-o worker.env=[: not YAML"),
        ("grid.steps=4,8", "did you mean [4, 8]?"),
    ],
)
def test_a_mistake_in_an_override_names_the_override(tmp_path: Path, override: str, message: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(GRID + "worker: {seed: 1}\n", encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        load_config(path, [override])

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
