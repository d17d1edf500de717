"""The worker from its arguments to its results, on tiny random pipelines."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.worker.profiler import KERNEL_SECONDS, profiling
from tests.worker.runs import Run

from accsearch.checkpoint.log import last_error
from accsearch.grid.reuse import is_whole
from accsearch.methods.catalogue import METHODS
from accsearch.result_lines.file import append, read, validate
from accsearch.result_lines.frontier import answers, rough_answers
from accsearch.task import BASELINE, Methods, WorkerExit
from accsearch.worker import activity, traversal
from accsearch.worker import loaded_task as task_module
from accsearch.worker.images import Images, InvalidImages
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.measurement import Measured, measure_trial
from accsearch.worker.quality.scorer import Scorer

ONE = {"tome": {"ratio": [0.5]}}
TRIALS = ["baseline", "deepcache-i2-b0", "tome-r0.5-d1", "deepcache-i2-b0+tome-r0.5-d1"]


def breaking(monkeypatch: pytest.MonkeyPatch, trial: Methods, error: Exception) -> None:
    """Let one trial fail with `error`."""

    def measure(loaded: LoadedTask, methods: Methods, *more: Any) -> Measured:
        if methods == trial:
            raise error
        return measure_trial(loaded, methods, *more)

    monkeypatch.setattr(traversal, "measure_trial", measure)


def test_measures_every_trial_against_the_baseline(
    tmp_path: Path,
    tiny_paths: dict[str, Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Run(tmp_path, tiny_paths)
    runs = profiling(monkeypatch)

    code = run.work()

    assert code == WorkerExit.OK
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "Inference Original pipeline..."
    assert printed[1].startswith("original inference time: ")
    assert printed[-1] == f"Successfully completed {run.task.id}"
    lines = run.lines()
    assert list(lines) == TRIALS
    assert validate(run.results, run.task.trials) is None
    baseline = lines[BASELINE]
    assert (baseline.speedup, baseline.active, baseline.methods) == (1.0, None, {})
    # The answer of the search is timed precisely, once all trials are measured.
    assert baseline.timing == "batches"
    assert rough_answers(run.task, lines, (0.01,)) == []
    assert [line.timing for line in read(run.results)][:4] == ["batches"] * 4
    assert "pairs" in {line.timing for line in lines.values()}
    # Nothing is timed after the first profile, and a task killed before it has nothing left to do.
    profiled = [line.trial for line in answers(run.task, lines, (0.01,))]
    assert len(profiled) == 2
    assert runs.index("profiled") == len(runs) - len(profiled)
    assert [line.trial for line in read(run.results)[-len(profiled) :]] == profiled
    for trial in TRIALS:
        taken = lines[trial].seconds_per_image
        assert taken is not None
        busy = pytest.approx(KERNEL_SECONDS / (2 * taken)) if trial in profiled else None
        assert lines[trial].gpu_busy == busy
    assert is_whole(run.grid.config, run.task, read(run.results)[: -len(profiled)])
    for trial in TRIALS[1:]:
        line = lines[trial]
        assert line.active is True
        assert line.speedup_ci95 is not None
        assert line.speedup is not None
        assert line.speedup_ci95[0] <= line.speedup <= line.speedup_ci95[1]
        assert len(line.scores) == line.num_samples == 3
        assert line.psnr is not None
        assert line.images_sha256 != baseline.images_sha256


def test_without_a_scorer_speed_is_measured_and_no_loss_is_claimed(
    tmp_path: Path, tiny_paths: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    quick = {"repeats": 1, "max_repeats": 1, "warmup": 0}
    search = {"strategy": "upper_bound"}
    run = Run(tmp_path, tiny_paths, methods=ONE, quality=None, worker=quick, search=search)

    assert run.work() == WorkerExit.OK

    assert validate(run.results, run.task.trials) is None
    for line in run.lines().values():
        assert line.speedup is not None
        assert (line.scores, line.clip_score, line.score_loss, line.score_loss_ci95) == ((), None, None, None)
        assert (line.efficiency, line.environment["scorer"]) == (None, "none:None:")
    assert "clip score" not in capsys.readouterr().out


def test_every_line_is_strict_json(tmp_path: Path, tiny_paths: dict[str, Path]) -> None:
    run = Run(tmp_path, tiny_paths, methods={})

    run.work()

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    for text in run.results.read_text().splitlines():
        json.loads(text, parse_constant=refuse)


def test_a_killed_task_continues_with_what_is_missing(
    tmp_path: Path, tiny_paths: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(tmp_path, tiny_paths)
    run.work()
    kept = run.results.read_bytes().splitlines(keepends=True)[:2]
    run.results.write_bytes(b"".join(kept) + b'{"task": "torn')
    capsys.readouterr()

    code = run.work(attempt=2)

    assert code == WorkerExit.OK
    generated = {line.trial: line.attempt for line in read(run.results) if line.timing == "batches"}
    assert generated == {TRIALS[0]: 2, TRIALS[1]: 1, TRIALS[2]: 2, TRIALS[3]: 2}
    assert run.lines()[TRIALS[2]].baseline_attempt == 2
    assert "2 of 4 trials stand" in capsys.readouterr().out


def test_a_task_ended_before_its_answer_was_timed_precisely_goes_on_with_that(
    tmp_path: Path, tiny_paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path, tiny_paths)
    run.work()
    raw = run.results.read_bytes().splitlines(keepends=True)
    rough = [line for line in raw if json.loads(line)["timing"] == "batches"][:4]
    run.results.write_bytes(b"".join(rough))
    before = run.lines()
    monkeypatch.setattr(traversal, "measure_trial", None)
    assert not is_whole(run.grid.config, run.task, read(run.results))

    assert run.work(attempt=2) == WorkerExit.OK

    precise = {name: line for name, line in run.lines().items() if line.timing == "pairs"}
    assert precise
    assert is_whole(run.grid.config, run.task, read(run.results))
    for name, line in precise.items():
        assert (line.attempt, line.baseline_attempt) == (2, 2)
        assert (line.scores, line.images_sha256) == (before[name].scores, before[name].images_sha256)


def test_nothing_is_measured_when_all_is_there(
    tmp_path: Path, tiny_paths: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(tmp_path, tiny_paths)
    run.work()
    before = run.results.read_bytes()

    code = run.work(attempt=2)

    assert code == WorkerExit.OK
    assert run.results.read_bytes() == before
    assert capsys.readouterr().out.splitlines()[-1] == f"Successfully completed {run.task.id}"


def test_another_batch_size_reuses_nothing(tmp_path: Path, tiny_paths: dict[str, Path]) -> None:
    run = Run(tmp_path, tiny_paths, methods=ONE)
    run.work()

    run.work(attempt=2, batch_size=1)

    assert {line.batch_size for line in run.lines().values()} == {1}


def test_a_setting_that_comes_back_is_not_measured_again_and_stands_last(
    tmp_path: Path, tiny_paths: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    first = Run(tmp_path, tiny_paths, methods=ONE)
    assert first.work() == WorkerExit.OK
    assert Run(tmp_path, tiny_paths, methods=ONE, worker={"seed": 9}).work(attempt=2) == WorkerExit.OK
    capsys.readouterr()
    again = Run(tmp_path, tiny_paths, methods=ONE)

    assert again.work(attempt=3) == WorkerExit.OK

    assert "Inference Original pipeline..." not in capsys.readouterr().out
    assert {line.seed for line in again.lines().values()} == {first.grid.config.worker.seed}
    assert is_whole(again.grid.config, again.task, read(again.results))


def test_another_way_of_timing_reuses_nothing(tmp_path: Path, tiny_paths: dict[str, Path]) -> None:
    Run(tmp_path, tiny_paths, methods={}, worker={"ci_width": 0.01}).work()
    changed = Run(tmp_path, tiny_paths, methods={}, worker={"ci_width": 0.5})

    changed.work(attempt=2)

    assert changed.lines()[BASELINE].attempt == 2


def test_trials_repeat_bit_for_bit(tmp_path: Path, tiny_paths: dict[str, Path]) -> None:
    run = Run(tmp_path, tiny_paths, sched="EulerAncestralDiscrete")
    run.work()
    first = {trial: (line.images_sha256, line.scores) for trial, line in run.lines().items()}
    run.results.unlink()

    run.work()

    assert {trial: (line.images_sha256, line.scores) for trial, line in run.lines().items()} == first


def test_a_failed_trial_does_not_end_the_others(
    tmp_path: Path,
    tiny_paths: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = Run(tmp_path, tiny_paths)
    breaking(monkeypatch, run.task.trials[1].methods, RuntimeError("a layer\ndoes not fit"))

    code = run.work()

    assert code == WorkerExit.ERROR
    lines = run.lines()
    assert [lines[trial].status for trial in TRIALS] == ["ok", "failed", "ok", "ok"]
    assert lines[TRIALS[1]].error == "RuntimeError: a layer does not fit"
    printed = capsys.readouterr().out
    assert "Successfully completed" not in printed
    assert last_error(printed.encode(), own_worker=True) == "RuntimeError: a layer does not fit"


def test_the_reason_that_most_failed_trials_give_is_the_tasks(
    tmp_path: Path,
    tiny_paths: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = Run(tmp_path, tiny_paths)
    reasons = iter(("KeyError: 'up'", "No working C++ compiler", "No working C++ compiler"))

    def measure(*_: object) -> Measured:
        raise NotImplementedError(next(reasons))

    monkeypatch.setattr(traversal, "measure_trial", measure)

    assert run.work() == WorkerExit.ERROR

    found = last_error(capsys.readouterr().out.encode(), own_worker=True)
    assert found == "NotImplementedError: No working C++ compiler"


def test_a_doubtful_scheduler_is_noted_in_every_line(tmp_path: Path, tiny_paths: dict[str, Path]) -> None:
    run = Run(tmp_path, tiny_paths, sched="LCM", methods=ONE)

    run.work()

    assert all("LCM is made for distilled models" in (line.note or "") for line in run.lines().values())


def test_a_scheduler_that_does_not_fit_the_loaded_model_is_refused(
    tmp_path: Path, tiny_paths: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shutil.copytree(tiny_paths["sd"], tmp_path / "sd")
    run = Run(tmp_path, {**tiny_paths, "sd": copy})
    settings = {"_class_name": "EDMEulerScheduler", "sigma_data": 0.5}
    (copy / "scheduler" / "scheduler_config.json").write_text(json.dumps(settings))
    index = json.loads((copy / "model_index.json").read_text())
    index["scheduler"] = ["diffusers", "EDMEulerScheduler"]
    (copy / "model_index.json").write_text(json.dumps(index))

    assert run.work() == WorkerExit.CONFIG

    assert "error: DDIM draws noise with tiny, an EDM model (allowed EDM" in capsys.readouterr().err


def test_what_a_denoiser_cannot_take_is_left_out_with_the_reason(
    tmp_path: Path, tiny_paths: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    from diffusers import UNet2DConditionModel

    model = tmp_path / "model"
    shutil.copytree(tiny_paths["sd"], model)
    config = UNet2DConditionModel.load_config(model / "unet")
    changes = {"down_block_types": ["AttnDownBlock2D"] * 3, "up_block_types": ["AttnUpBlock2D"] * 3}
    UNet2DConditionModel.from_config({**config, **changes}).save_pretrained(model / "unet")
    run = Run(tmp_path, {**tiny_paths, "sd": model})

    assert run.work() == WorkerExit.OK

    lines = run.lines()
    assert [lines[trial].status for trial in TRIALS] == ["ok", "pruned", "ok", "pruned"]
    reason = "deepcache: a UNet cannot be cut inside of its AttnDownBlock2D"
    assert lines[TRIALS[1]].note == reason
    assert f"deepcache-i2-b0: left out: {reason}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "code", "statuses"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), WorkerExit.OOM, ["ok", "failed"]),
        (RuntimeError("CUDA error: GPU is lost"), WorkerExit.LOST_GPU, ["ok", "failed"]),
        (RuntimeError("CUDA error: an illegal memory access"), WorkerExit.ERROR, ["ok", "failed"]),
        (InvalidImages("images are black for prompt 1"), WorkerExit.VALIDATION, ["ok", "failed", "ok", "ok"]),
    ],
)
def test_the_exit_code_says_why(
    tmp_path: Path,
    tiny_paths: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    code: int,
    statuses: list[str],
) -> None:
    run = Run(tmp_path, tiny_paths)
    breaking(monkeypatch, run.task.trials[1].methods, error)

    assert run.work() == code

    found = run.lines()
    assert [found[trial].status for trial in TRIALS if trial in found] == statuses


class Speechless:
    """A scorer that has no number for the second image of what `lose` says."""

    def __init__(self, scorer: Scorer, lose: Callable[[Images], bool]) -> None:
        self._scorer = scorer
        self._lose = lose

    def texts(self, prompts: Sequence[str]) -> torch.Tensor:
        return self._scorer.texts(prompts)

    def scores(self, images: Images, texts: torch.Tensor) -> list[float]:
        found = self._scorer.scores(images, texts)
        return [found[0], float("nan"), *found[2:]] if self._lose(images) else found

    def close(self) -> None:
        self._scorer.close()


def speechless(monkeypatch: pytest.MonkeyPatch, lose: Callable[[Images], bool]) -> None:
    load = task_module.load_scorer
    monkeypatch.setattr(
        task_module, "load_scorer", lambda quality, machine: Speechless(load(quality, machine), lose)
    )


def test_a_score_that_is_no_number_fails_its_trial(
    tmp_path: Path, tiny_paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path, tiny_paths, methods=ONE)
    images_seen: list[Images] = []

    def is_second(images: Images) -> bool:
        images_seen.append(images)
        return len(images_seen) == 2

    speechless(monkeypatch, is_second)

    assert run.work() == WorkerExit.VALIDATION

    failed = run.lines()["tome-r0.5-d1"]
    assert (failed.status, failed.error) == ("failed", "the score is not a number for prompt 1")


def test_a_baseline_without_a_score_ends_the_task(
    tmp_path: Path, tiny_paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path, tiny_paths, methods=ONE)
    speechless(monkeypatch, lambda images: True)

    assert run.work() == WorkerExit.VALIDATION

    assert [line.error for line in read(run.results)] == ["the score is not a number for prompt 1"]


def test_a_line_that_would_never_be_valid_is_measured_again(
    tmp_path: Path, tiny_paths: dict[str, Path]
) -> None:
    run = Run(tmp_path, tiny_paths, methods=ONE)
    run.work()
    broken = run.lines()["tome-r0.5-d1"]
    append(run.results, replace(broken, scores=(broken.scores[0], None, *broken.scores[2:])))

    assert run.work(attempt=2) == WorkerExit.OK

    assert validate(run.results, run.task.trials) is None
    assert run.lines()["tome-r0.5-d1"].attempt == 2


def test_a_trial_with_a_stranger_on_its_gpu_is_measured_again_and_marked(
    tmp_path: Path, tiny_paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path, tiny_paths, methods=ONE)
    calls: list[Methods] = []

    def measure(loaded: LoadedTask, methods: Methods, *more: Any) -> Measured:
        calls.append(methods)
        measured = measure_trial(loaded, methods, *more)
        return replace(measured, conditions=replace(measured.conditions, strangers=frozenset({4711})))

    monkeypatch.setattr(traversal, "measure_trial", measure)

    run.work()

    assert len(calls) == 2
    line = next(line for line in read(run.results) if line.trial == "tome-r0.5-d1")
    # What else disturbed it on a shared machine may follow.
    assert str(line.note).startswith("another process used the GPU: pid 4711")


CASES: list[tuple[str, dict[str, Any], Callable[[Run], bool]]] = [
    (
        "packages on SDXL",
        {
            "family": "sdxl",
            "methods": {
                "implementation": "package",
                "deepcache": {"cache_interval": [2]},
                "tgate": {"gate_step": [2]},
            },
        },
        lambda run: len(run.lines()) == 4,
    ),
    (
        "other methods",
        {
            "methods": {
                "half": {"dtype": ["bfloat16"]},
                "channels_last": {},
                "fewer_steps": {"ratio": [0.5]},
            }
        },
        lambda run: (
            run.lines()["fewer_steps-r0.5"].active is True
            and next(line for name, line in run.lines().items() if name.startswith("channels_last")).active
            is None
        ),
    ),
    (
        "Heun",
        {"sched": "HeunDiscrete", "methods": {"tgate": {"gate_step": [2]}}},
        lambda run: len(run.lines()) == 2,
    ),
    (
        "float16 on the CPU",
        {"worker": {"dtype": "float16"}, "methods": {}},
        lambda run: run.lines()[BASELINE].dtype == "float32",
    ),
]


@pytest.mark.parametrize(("sections", "holds"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_other_configurations_run(
    tmp_path: Path, tiny_paths: dict[str, Path], sections: dict[str, Any], holds: Callable[[Run], bool]
) -> None:
    run = Run(tmp_path, tiny_paths, **sections)

    assert run.work() == WorkerExit.OK

    assert validate(run.results, run.task.trials) is None
    assert holds(run)


def test_a_method_that_does_nothing_beside_an_exact_one_is_not_active(
    tmp_path: Path, tiny_paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Half precision stands for an exact method, since its rounding shows in so small images. Of 64 tokens a
    # hundredth is none. The tolerance, which would hide what is tested, is put out of reach.
    rounding = {"half": replace(METHODS["half"], exact=True)}
    monkeypatch.setattr(activity, "METHODS", {**METHODS, **rounding})
    monkeypatch.setattr(activity, "ROUNDING_PSNR", 1000.0)
    methods = {"tome": {"ratio": [0.01]}, "half": {"dtype": ["bfloat16"]}}
    run = Run(tmp_path, tiny_paths, methods=methods, worker={"height": 16, "width": 16})

    run.work()

    lines = {tuple(line.methods): line for line in run.lines().values()}
    alone, both = lines[("half",)], lines[("tome", "half")]
    assert alone.images_sha256 != lines[()].images_sha256
    assert [lines[("tome",)].active, alone.active, both.active] == [False, None, False]


def test_images_are_kept_where_asked(tmp_path: Path, tiny_paths: dict[str, Path]) -> None:
    run = Run(tmp_path, tiny_paths, methods=ONE, worker={"keep_images": True})

    run.work()

    folder = run.workdir.task("tiny", run.task.id).images
    assert len(list((folder / "baseline").iterdir())) == 3
    assert len(list((folder / "tome-r0.5-d1").iterdir())) == 3


def test_replay_finds_identical_images(
    tmp_path: Path, tiny_paths: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(tmp_path, tiny_paths)
    run.work()
    before = run.results.read_bytes()
    capsys.readouterr()

    run.work(more=["--replay", TRIALS[3]])

    printed = capsys.readouterr().out
    assert "images: identical" in printed
    assert "changed since" not in printed
    assert run.results.read_bytes() == before


def test_replay_of_what_was_never_measured_is_refused(
    tmp_path: Path, tiny_paths: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(tmp_path, tiny_paths)

    code = run.work(more=["--replay", TRIALS[1]])

    assert code == WorkerExit.CONFIG
    assert (
        capsys.readouterr().err == f"error: tiny/{run.task.id}: {TRIALS[1]} has no result to compare with\n"
    )
