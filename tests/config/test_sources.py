"""Prompts and weights are looked for before anything starts, and known by absolute paths."""

from pathlib import Path

import pytest

from accsearch.config.load import load_config
from accsearch.errors import ConfigError
from accsearch.grid import expand

GRID = "grid: {pipe: [SD1.5], sched: [DDIM], steps: [20]}\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "run.yaml"
    path.write_text(GRID + text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"one\n\n  \ntwo\n", "3: worker.num_samples: 3 is not allowed (allowed at most 2, the prompts in "),
        (b" \n\n", "2: prompts.file: "),
        (b"", "2: prompts.file: "),
        (b"caf\xe9\n" * 3, "2: prompts.file: "),
    ],
)
def test_prompts_that_do_not_suffice_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "prompts.txt").write_bytes(content)
    path = write(tmp_path, "prompts: {file: prompts.txt}\nworker: {num_samples: 3}\n")

    with pytest.raises(ConfigError) as caught:
        load_config(path)

    assert str(caught.value).startswith(f"{path}:{message}")
    assert "\n" not in str(caught.value)


def test_blank_lines_are_no_prompts_and_enough_lines_are_enough(tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_bytes(b"\none\n\ntwo\n")

    config = load_config(write(tmp_path, "prompts: {file: prompts.txt}\nworker: {num_samples: 2}\n"))

    assert config.prompts.file == str(tmp_path / "prompts.txt")


def test_a_scorer_beside_the_configuration_is_absolute_in_the_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside, here = tmp_path / "configs", tmp_path / "here"
    (beside / "scorer").mkdir(parents=True)
    here.mkdir()
    (beside / "scorer" / "open_clip_config.json").write_text("{}")
    (beside / "weights.pt").write_bytes(b"weights")
    monkeypatch.chdir(here)

    weights = load_config(write(beside, "quality: {model: ViT-B-32, pretrained: weights.pt}\n"))
    folder = load_config(write(beside, "quality: {model: 'local-dir:scorer'}\n"))

    assert weights.quality.pretrained == str(beside / "weights.pt")
    assert folder.quality.model == f"local-dir:{beside / 'scorer'}"
    assert weights.facts.scorer and folder.facts.scorer


def test_the_content_of_a_scorer_counts_not_its_place(tmp_path: Path) -> None:
    digests = []
    head = bytes(5 << 20)
    for place, content in (("one", b"weights"), ("two", b"weights"), ("three", b"weighty")):
        (tmp_path / place).mkdir()
        (tmp_path / place / "weights.pt").write_bytes(head + content)
        config = load_config(write(tmp_path / place, "quality: {model: RN50, pretrained: weights.pt}\n"))
        digests.append(expand(config).tasks[0].digest)

    assert digests[0] == digests[1] != digests[2]


def test_a_tag_stays_a_tag_beside_a_folder_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "openai").mkdir()
    monkeypatch.chdir(tmp_path)

    assert load_config(
        write(tmp_path, "quality: {model: RN50-quickgelu, pretrained: openai}\n")
    ).quality.pretrained == ("openai")


@pytest.mark.parametrize("name", ["phiyodr/coco2017", "imagefolder"])
def test_a_hub_name_is_no_missing_folder(tmp_path: Path, name: str) -> None:
    assert load_config(write(tmp_path, f"prompts: {{dataset: {name}}}\n")).prompts.dataset == name


@pytest.mark.parametrize("name", ["./coco", "../coco", "/data/coco", "~/coco", "data/coco/", "a/b/c"])
def test_a_missing_folder_of_prompts_is_not_taken_for_a_hub_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"prompts\.dataset: no folder "):
        load_config(write(tmp_path, f"prompts: {{dataset: {name}}}\n"))


@pytest.mark.parametrize(
    ("text", "overrides"), [("quality: null\n", []), ("quality:\n", []), ("", ["quality=null"])]
)
def test_no_scorer_is_none_and_said(tmp_path: Path, text: str, overrides: list[str]) -> None:
    path = write(tmp_path, text)

    config = load_config(path, overrides)

    assert config.quality is None
    assert config.scorer_identity() == ("none", None, "")
    assert config.facts.remarks[0].startswith("quality is null: no scorer")
    assert type(config).from_resolved(config.resolved()) == config
    with_scorer = load_config(path, ["quality={model: RN50-quickgelu, pretrained: openai}"])
    assert expand(config).tasks[0].digest != expand(with_scorer).tasks[0].digest


def test_a_target_within_a_loss_needs_a_scorer(tmp_path: Path) -> None:
    path = write(tmp_path, "quality: null\nsearch: {strategy: upper_bound, target_speedup: 2.0}\n")

    with pytest.raises(ConfigError, match=r"2: quality: null is not allowed \(allowed a scorer"):
        load_config(path)


def test_a_wrong_key_of_the_scorer_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError,
        match=r"unknown key \(allowed model, pretrained, command, timeout; did you mean model\?\)",
    ):
        load_config(write(tmp_path, "quality: {modle: RN50}\n"))


@pytest.mark.parametrize("quality", ["{model: ViT-g-14}", "{pretrained: null}", "{}"])
def test_the_default_scorer_has_its_weights(tmp_path: Path, quality: str) -> None:
    config = load_config(write(tmp_path, f"quality: {quality}\n"))

    assert config.quality is not None
    assert (config.quality.model, config.quality.pretrained) == ("ViT-g-14", "laion2b_s34b_b88k")


def test_a_split_that_a_local_data_set_lacks_is_located(tmp_path: Path) -> None:
    (tmp_path / "coco").mkdir()
    (tmp_path / "coco" / "train.jsonl").write_text("{}")

    with pytest.raises(ConfigError, match=r"prompts\.split: .* has no split validation \(allowed train\)"):
        load_config(write(tmp_path, "prompts: {dataset: coco}\n"))
