"""Measuring a stored trial again, and what is said of the two measurements."""

from pathlib import Path

from tests.worker.runs import Run


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
