"""Stability measurements: what is written, what a later attempt adds, and what a failure ends."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.worker.profiler import profiling
from tests.worker.runs import Run

from accsearch.grid import conditions as grid_conditions
from accsearch.result_lines.file import latest, read, validate
from accsearch.result_lines.line import ResultLine
from accsearch.task import BASELINE, Methods, WorkerExit
from accsearch.worker import stability
from accsearch.worker.images import InvalidImages
from accsearch.worker.loaded_task import LoadedTask
from accsearch.worker.measurement import Measured, measure_baseline, measure_trial

TRIAL = "tome-r0.5-d1"
CONDITIONS = ["short", "doubled", "batch1"]
NAMES = [f"{trial}@{condition}" for condition in CONDITIONS for trial in (BASELINE, TRIAL)]
LONG = "a photo of the red house on the green tree and the blue dog"
TEXT = f"a red cat\n{LONG}\nthe small dog\n"
"""Of which `short` cuts the second and `doubled` none."""
QUICK = {"repeats": 1, "max_repeats": 1, "warmup": 0}


def run_of(root: Path, paths: dict[str, Path], stability: bool = True, text: str = TEXT) -> Run:
    methods = {"tome": {"ratio": [0.5]}}
    return Run(root, paths, methods=methods, worker={**QUICK, "stability": stability}, text=text)


def measured(run: Run) -> list[ResultLine]:
    """Return the last line of each trial under a condition: a noisy machine has some timed again."""
    return list(latest(line for line in read(run.results) if line.condition).values())


def breaking(monkeypatch: pytest.MonkeyPatch, batch_size: int, error: Exception, plain: bool = False) -> None:
    """Let trials, or the baseline, fail with `error` under conditions of one batch size."""

    def trial(loaded: LoadedTask, methods: Methods, size: int, *more: Any) -> Measured:
        if size == batch_size and not plain:
            raise error
        return measure_trial(loaded, methods, size, *more)

    def baseline(loaded: LoadedTask, size: int) -> Measured:
        if size == batch_size and plain:
            raise error
        return measure_baseline(loaded, size)

    monkeypatch.setattr(stability, "measure_trial", trial)
    monkeypatch.setattr(stability, "measure_baseline", baseline)


def test_each_condition_has_a_line_of_its_baseline_and_of_each_trial(
    tmp_path: Path,
    tiny_paths: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = run_of(tmp_path, tiny_paths)
    runs = profiling(monkeypatch, failing=[0])

    assert run.work() == WorkerExit.OK

    lines = measured(run)
    assert [line.trial for line in lines] == NAMES
    assert [line.condition for line in lines] == [each for each in CONDITIONS for _ in range(2)]
    assert [line.batch_size for line in lines] == [2, 2, 2, 2, 1, 1]
    assert [line.speedup == 1.0 for line in lines] == [True, False] * 3
    assert len({line.key for line in read(run.results)}) == 2 + 6
    assert validate(run.results, run.task.trials) is None
    # The profiler comes after the conditions; that it fails for the baseline fails nothing.
    assert runs[runs.index("profiled") :] == ["profiled"] * runs.count("profiled")
    assert run.lines()[BASELINE].gpu_busy is None
    assert f"{BASELINE}: not profiled: RuntimeError: the profiler recorded no" in capsys.readouterr().out
    before = run.results.read_bytes()
    assert run.work(attempt=2) == WorkerExit.OK
    assert run.results.read_bytes() == before


def test_prompts_that_are_the_tasks_own_to_the_encoder_are_not_measured_again(
    tmp_path: Path, tiny_paths: dict[str, Path]
) -> None:
    # Given prompts under 50 characters, which are longer than the encoder's 32 tokens
    run = run_of(tmp_path, tiny_paths, text="".join(f"{n}{'xyz' * 13}\n" for n in range(3)))

    assert run.work() == WorkerExit.OK

    short, doubled = (run.lines()[f"{TRIAL}@{name}"] for name in ("short", "doubled"))
    assert (short.status, short.note) == ("pruned", "the short prompts are the task's own")
    assert (doubled.status, doubled.seconds_per_image) == ("pruned", None)
    assert doubled.note is not None and doubled.note.startswith("the text encoder reads the same")
    before = run.results.read_bytes()
    assert run.work(attempt=2) == WorkerExit.OK
    assert run.results.read_bytes() == before


def test_a_condition_says_which_of_its_prompts_are_cut(tmp_path: Path, tiny_paths: dict[str, Path]) -> None:
    run = run_of(tmp_path, tiny_paths, text=f"the small cat\n{LONG} of the {LONG}\na house\n")
    run.work()

    # What else happened on the machine meanwhile may stand there too.
    cut = "1 of 3 prompts are longer than the 32 tokens that the text encoder reads: the rest is cut off"
    assert "tokens" not in (run.lines()[TRIAL].note or "")
    assert cut in (run.lines()[f"{TRIAL}@doubled"].note or "").split("; ")


def test_switched_on_later_it_covers_the_trials_that_stand(
    tmp_path: Path, tiny_paths: dict[str, Path]
) -> None:
    run_of(tmp_path, tiny_paths, stability=False).work()
    run = run_of(tmp_path, tiny_paths)

    assert run.work(attempt=2) == WorkerExit.OK

    assert run.lines()[TRIAL].attempt == 1
    assert [(line.trial, line.attempt) for line in measured(run)] == [(name, 2) for name in NAMES]


def test_a_later_attempt_measures_what_is_missing_failed_or_of_another_key(
    tmp_path: Path, tiny_paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(tmp_path, tiny_paths)
    run.work()
    kept = [
        raw for raw in run.results.read_bytes().splitlines(keepends=True) if b"tome-r0.5-d1@short" not in raw
    ]
    run.results.write_bytes(b"".join(kept))
    key = run.lines()[f"{TRIAL}@doubled"].key.encode()
    run.results.write_bytes(run.results.read_bytes().replace(key, b"other"))
    breaking(monkeypatch, 1, ValueError("no"))
    run.work(attempt=2)

    attempts = {line.trial: line.attempt for line in measured(run)}

    assert attempts == dict(zip(NAMES, (2, 2, 2, 2, 1, 1), strict=True))


def test_a_failure_ends_neither_the_task_nor_the_next_condition_and_is_tried_again(
    tmp_path: Path, tiny_paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(tmp_path, tiny_paths)
    breaking(monkeypatch, 2, ValueError("a prompt\nis too long"))

    assert run.work() == WorkerExit.OK

    assert [line.status for line in measured(run)] == ["ok", "failed", "ok", "failed", "ok", "ok"]
    assert run.lines()[f"{TRIAL}@short"].error == "ValueError: a prompt is too long"
    monkeypatch.undo()
    assert run.work(attempt=2) == WorkerExit.OK
    assert [(run.lines()[name].status, run.lines()[name].attempt) for name in NAMES] == [
        *[("ok", 2)] * 4,
        *[("ok", 1)] * 2,
    ]


def test_without_its_baseline_a_condition_fails_whole(
    tmp_path: Path, tiny_paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(tmp_path, tiny_paths)
    breaking(monkeypatch, 2, InvalidImages("images are black for prompt 0"), plain=True)

    assert run.work() == WorkerExit.OK

    assert [line.status for line in measured(run)] == [*["failed"] * 4, "ok", "ok"]


@pytest.mark.parametrize(
    ("batch_size", "error", "code"),
    [
        (1, torch.OutOfMemoryError("CUDA out of memory"), WorkerExit.OOM),
        (3, torch.OutOfMemoryError("CUDA out of memory"), WorkerExit.OK),
        (3, RuntimeError("CUDA error: out of memory"), WorkerExit.OOM),
        (3, RuntimeError("CUDA error: GPU is lost"), WorkerExit.LOST_GPU),
        (1, RuntimeError("CUDA error: an illegal memory access"), WorkerExit.ERROR),
    ],
)
def test_only_what_would_fail_the_others_too_ends_the_task(
    tmp_path: Path,
    tiny_paths: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    batch_size: int,
    error: Exception,
    code: int,
) -> None:
    run = run_of(tmp_path, tiny_paths)
    monkeypatch.setattr(grid_conditions, "REWORDED", ())
    monkeypatch.setattr(grid_conditions, "BATCH_SIZES", (batch_size,))
    breaking(monkeypatch, batch_size, error)

    assert run.work() == code

    assert [line.status for line in measured(run)] == ["ok", "failed"]
    assert validate(run.results, run.task.trials) is None
