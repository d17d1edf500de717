"""Measuring a stored trial again, and what is said of the two measurements."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.cli.program import accsearch
from tests.worker.runs import Run

from accsearch.result_lines.line import ResultLine
from accsearch.worker.replay import compare

TRIAL = "tome-r0.5-d1"
STORED = ResultLine(
    task="tiny_DDIM_4",
    trial=TRIAL,
    key="0123456789abcdef",
    attempt=1,
    methods={"tome": {"ratio": 0.5, "max_downsample": 1}},
    status="ok",
    seconds_per_image=1.0,
    times=(1.0, 1.01, 0.99),
    speedup=1.5,
    speedup_ci95=(1.4, 1.6),
    seed=42,
    images_sha256="aa",
    versions={"torch": "2.8.0"},
    environment={"prompts": "1111", "threads": 1, "host": "here", "baseline_seconds": [1.5, 1.5]},
)
BASELINE = replace(STORED, trial="baseline", methods={}, speedup=1.0, speedup_ci95=(1.0, 1.0))


def test_a_line_holds_what_it_takes_to_measure_it_again(tmp_path: Path, tiny_paths: dict[str, Path]) -> None:
    run = Run(tmp_path, tiny_paths, methods={}, worker={"guidance_scale": 3.0, "height": 48})

    run.work()

    found = run.lines()["baseline"].environment
    config = run.grid.config
    assert (found["guidance_scale"], found["height"], found["width"]) == (3.0, 48, 32)
    assert found["model"] == config.model("tiny").identity
    assert found["prompts"] == config.facts.prompts
    assert config.facts.scorer in found["scorer"]
    assert {"cuda", "cudnn", "driver", "threads", "git", "host"} <= found.keys()


def test_the_command_measures_as_the_line_was_measured(
    tmp_path: Path, tiny_paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given lines of half the configured batch, as after an OOM, measured with one thread
    run = Run(tmp_path, tiny_paths, methods={"tome": {"ratio": [0.5]}})
    run.work(batch_size=1)
    before = run.results.read_bytes()
    monkeypatch.setenv("OMP_NUM_THREADS", "2")

    for trial in (TRIAL, "baseline"):
        ended = accsearch("replay", run.task.id, trial, folder=tmp_path)

        assert "images: identical" in ended.stdout, ended.stderr
        assert not [word for word in ("settings", "batch_size", "threads") if word in ended.stdout]
        # Times may differ on a busy machine.
        assert ended.returncode in (0, 1)
    assert "contain" in ended.stdout
    assert run.results.read_bytes() == before


def test_equal_lines_agree() -> None:
    again = replace(STORED, environment={**STORED.environment, "baseline_seconds": [1.4]})

    found = compare(STORED, again)

    assert found.agrees
    assert "images: identical" in found.text
    assert "1.500x [1.400, 1.600] now: the intervals meet" in found.text
    assert "changed since" not in found.text


def test_other_images_are_different() -> None:
    found = compare(STORED, replace(STORED, images_sha256="bb"))

    assert (found.images, found.agrees) == (False, False)
    assert "images: different" in found.text
    assert compare(replace(STORED, images_sha256=None), STORED).images is None


def test_intervals_apart_do_not_meet() -> None:
    slower, faster = (replace(STORED, speedup_ci95=each) for each in ((1.2, 1.39), (1.61, 1.7)))

    for again in (slower, faster):
        found = compare(STORED, again)

        assert (found.times, found.agrees) == (False, False)
        assert "the intervals do not meet" in found.text
    assert compare(STORED, replace(STORED, speedup_ci95=None)).times is None


def test_the_baseline_is_compared_by_its_times() -> None:
    near = compare(BASELINE, replace(BASELINE, times=(1.02, 0.98, 1.0)))
    far = compare(BASELINE, replace(BASELINE, times=(1.3, 1.31, 1.29)))
    single = compare(BASELINE, replace(BASELINE, times=(1.0,)))

    assert near.agrees and "contains 1" in near.text
    assert not far.agrees and "does not contain 1" in far.text
    assert single.times is None and single.agrees


def test_what_changed_is_named() -> None:
    changed = replace(
        STORED,
        key="f" * 16,
        seed=43,
        versions={"torch": "2.9.0"},
        environment={**STORED.environment, "prompts": "2222", "cuda": "13.0"},
    )

    text = compare(STORED, changed).text

    assert "settings: not those of the stored line" in text
    assert "changed since: seed 42 -> 43, prompts 1111 -> 2222, torch 2.8.0 -> 2.9.0" in text
    assert "settings" not in compare(STORED, replace(changed, key=STORED.key)).text
