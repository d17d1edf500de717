"""Scoring by a program of the user's: real programs, started as the worker starts them."""

import sys
from contextlib import closing
from pathlib import Path

import pytest
import torch
from tests.worker.runs import Run

from accsearch.config.fingerprint import command_fingerprint
from accsearch.config.load import build_config
from accsearch.config.schema import QualityConfig
from accsearch.errors import ConfigError
from accsearch.worker.images import Images
from accsearch.worker.machine import choose_machine
from accsearch.worker.quality.command import CommandScorer, ScorerFailed
from accsearch.worker.quality.scorer import load_scorer

BRIGHTNESS = """
import json, os, sys
import PIL.Image, PIL.ImageStat
print("started", os.getpid(), file=sys.stderr, flush=True)
for number, line in enumerate(sys.stdin):
    asked = json.loads(line)
    if asked["prompt"] == "die" or (len(sys.argv) > 1 and number == int(sys.argv[1])):
        sys.exit(7)
    level = PIL.ImageStat.Stat(PIL.Image.open(asked["image"]).convert("L")).mean[0]
    print(json.dumps({"score": level + len(asked["prompt"]), "pid": os.getpid()}), flush=True)
"""


def program(folder: Path, text: str) -> tuple[str, str]:
    script = folder / "score.py"
    script.write_text(text)
    return sys.executable, str(script)


def grey(*levels: int) -> Images:
    return Images(torch.stack([torch.full((3, 8, 8), level, dtype=torch.uint8) for level in levels]))


def test_a_program_is_started_once_and_gets_each_image_with_its_prompt(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    quality = QualityConfig(command=program(tmp_path, BRIGHTNESS))

    with closing(load_scorer(quality, choose_machine("cpu", "float32"))) as scorer:
        texts = scorer.texts(["a", "bbb"])
        first, second = scorer.scores(grey(10, 20), texts), scorer.scores(grey(40), texts[1:])

    assert (first, second) == ([11.0, 23.0], [43.0])
    assert capfd.readouterr().err.count("started") == 1


def test_a_program_that_died_is_started_again(tmp_path: Path) -> None:
    scorer = CommandScorer(program(tmp_path, BRIGHTNESS), timeout=30)

    with pytest.raises(ScorerFailed, match="ended with exit code 7, its last line"):
        scorer.scores(grey(1, 2), ("a", "die"))

    with closing(scorer):
        assert scorer.scores(grey(5), ("a",)) == [6.0]


def test_a_program_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    scorer = CommandScorer(program(tmp_path, "import time; time.sleep(60)"), timeout=0.2)

    with pytest.raises(ScorerFailed, match=r"no score within 0\.2 s"):
        scorer.scores(grey(1), ("a",))


@pytest.mark.parametrize("answer", ['"7"', '{"score": null}', '{"score": NaN}', '{"score": true}', "loading"])
def test_what_is_no_score_is_shown(tmp_path: Path, answer: str) -> None:
    scorer = CommandScorer(program(tmp_path, f"input(); print({answer!r})"), timeout=30)

    with pytest.raises(ScorerFailed, match=r"answered .*, not"):
        scorer.scores(grey(1), ("a",))


def test_more_than_a_pipe_holds_is_asked_and_answered(tmp_path: Path) -> None:
    echo = "import sys\nfor line in sys.stdin: print('{\"score\": 1, \"x\": \"' + 'y' * 3000 + '\"}', flush=True)"
    scorer = CommandScorer(program(tmp_path, echo), timeout=30)

    with closing(scorer):
        assert scorer.scores(grey(*[0] * 100), ("p" * 3000,) * 100) == [1.0] * 100


def test_a_programs_failure_fails_its_trial_and_nothing_else(
    tmp_path: Path, tiny_paths: dict[str, Path]
) -> None:
    # It ends at its seventh image: the first of the trial that follows the baseline's and another trial's three.
    command = [*program(tmp_path, BRIGHTNESS), "6"]
    methods = {"tome": {"ratio": [0.2, 0.4, 0.6]}}
    run = Run(tmp_path, tiny_paths, quality={"command": command}, methods=methods)

    assert run.work() != 0

    states = [line.status for line in run.lines().values()]
    assert (states.count("ok"), states.count("failed")) == (3, 1)
    failed = next(line for line in run.lines().values() if line.status == "failed")
    assert "quality.command ended with exit code 7" in str(failed.error)
    assert run.lines()["baseline"].clip_score is not None


def test_the_identity_is_the_content_of_what_is_named_and_not_where_it_lies(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    same = [command_fingerprint([*program(folder, "print(1)"), "--fast"]) for folder in folders]
    other = command_fingerprint([*program(folders[0], "print(2)"), "--fast"])

    assert same[0] == same[1] != other
    assert command_fingerprint([*program(folders[1], "print(1)"), "--slow"]) != same[0]


@pytest.mark.parametrize(
    ("quality", "message"),
    [
        ({"command": ["no-such-program"]}, "quality.command: no program no-such-program"),
        ({"command": ["sh"], "model": "ViT-B-32"}, "either {command} or {model, pretrained}"),
    ],
)
def test_a_wrong_command_is_one_line(quality: dict[str, object], message: str) -> None:
    grid = {"pipe": ["demo"], "sched": ["DDIM"], "steps": [4]}

    with pytest.raises(ConfigError, match=message):
        build_config({"name": "x", "grid": grid, "quality": quality})
