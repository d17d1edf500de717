"""The upper-bound search on a tiny random pipeline: one run, and one that goes on after a kill.

The clock counts the calls of the denoiser's blocks, so that a busy machine does not decide which trial wins.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.worker.profiler import profiling
from tests.worker.runs import Run

from accsearch.result_lines.best import best
from accsearch.result_lines.candidates import TaskResults
from accsearch.result_lines.file import read, validate
from accsearch.result_lines.line import ResultLine
from accsearch.task import BASELINE, WorkerExit
from accsearch.worker import call_timer, loaded_task, stopwatch
from accsearch.worker.fresh_prompts import SEEDS_APART
from accsearch.worker.images import Images
from accsearch.worker.quality.scorer import Scorer, load_scorer

PROMPTS = "".join(
    f"a {size} {thing}\n" for size in ("small", "large", "tall") for thing in ("cat", "dog", "car")
)
"""Nine prompts: eight for the search, one fresh."""
LIMIT = 0.15
OTHER_SEED = 0.05
"""Mean difference from which two images are of different noise; those of one seed differ by 0.02."""
SEED = 42
SHALLOW, ANSWER, SLOWER = "deepcache-i4-b0", "deepcache-i4-b1", "deepcache-i2-b0"


class Distance:
    """A scorer of how near images are to the baseline's, the first of their seed that it saw."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._first: list[torch.Tensor] = []

    def texts(self, prompts: Sequence[str]) -> Any:
        return self._scorer.texts(prompts)

    def scores(self, images: Images, texts: torch.Tensor) -> list[float]:
        return [30 - 19200 * self._off(pixels) ** 2 for pixels in images.pixels.float() / 255]

    def close(self) -> None:
        self._scorer.close()

    def _off(self, pixels: torch.Tensor) -> float:
        near = min((float((pixels - each).abs().mean()) for each in self._first), default=1.0)
        if near < OTHER_SEED:
            return near
        self._first.append(pixels)
        return 0.0


class CallClock:
    """Stands in for the module `time`: a second passes with each call of a residual block."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        self.now += 0.001
        return self.now

    def tick(self, module: torch.nn.Module, *_: object) -> None:
        if type(module).__name__ == "ResnetBlock2D":
            self.now += 1.0


@dataclass
class Searched:
    """A run's exit code, what it printed, its lines, and the run itself."""

    code: int
    printed: str
    lines: dict[str, ResultLine]
    run: Run
    runs: list[str]
    """What the task did in its order: `timed` and `profiled` runs."""


@pytest.fixture(scope="module")
def patched(tiny_paths: dict[str, Path]) -> Iterator[None]:
    clock = CallClock()
    hook = torch.nn.modules.module.register_module_forward_hook(clock.tick)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loaded_task, "load_scorer", lambda *given: Distance(load_scorer(*given)))
        patch.setattr(stopwatch, "time", clock)
        patch.setattr(call_timer, "time", clock)
        yield
    hook.remove()


def search(root: Path, paths: dict[str, Path], **sections: Any) -> Run:
    return Run(
        root,
        paths,
        text=PROMPTS,
        methods={"deepcache": {"cache_interval": [2, 4], "cache_branch_id": [0, 1]}},
        search={"strategy": "upper_bound", "max_score_loss": [LIMIT], "confidence": 0.8, **sections},
        worker={"num_samples": 8, "height": 16, "width": 16},
    )


@pytest.fixture(scope="module")
def searched(
    patched: None, tiny_paths: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Searched:
    return work(search(tmp_path_factory.mktemp("searched"), tiny_paths), attempt=1)


@pytest.fixture(scope="module")
def resumed(
    searched: Searched, tiny_paths: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Searched:
    """The run again, as if it had been killed once two trials had their lines, and with a budget of those two."""
    run = search(tmp_path_factory.mktemp("resumed"), tiny_paths, budget=2)
    kept = searched.run.results.read_bytes().splitlines(keepends=True)[:4]
    run.results.write_bytes(b"".join(kept))
    return work(run, attempt=2)


def work(run: Run, attempt: int) -> Searched:
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        runs = profiling(patch)
        for module in ("upper_bound_search", "trial_log", "traversal", "run"):
            patch.setattr(f"accsearch.worker.{module}.say", said.append)
        code = run.work(attempt)
    return Searched(code, "\n".join(said), run.lines(), run, runs)


def test_every_trial_ends_with_a_line_and_the_task_is_complete(searched: Searched) -> None:
    assert searched.code == WorkerExit.OK
    assert validate(searched.run.results, searched.run.task.trials) is None
    statuses = {name: line.status for name, line in searched.lines.items()}
    assert statuses[ANSWER] == "ok"
    assert statuses[SHALLOW] == "pruned"


def test_a_dropped_trial_keeps_its_reason_and_the_figures_it_had(searched: Searched) -> None:
    line = searched.lines[SHALLOW]

    assert (line.note or "").startswith("above every open limit: ")
    assert 2 <= len(line.scores) < line.num_samples
    assert line.speedup is not None and line.speedup > 1
    assert line.score_loss is not None and line.score_loss > LIMIT


def test_what_is_slower_than_the_answer_is_dropped_before_its_prompts_end(searched: Searched) -> None:
    line = searched.lines[SLOWER]

    assert (line.note or "").startswith("slower than the answer so far: ")
    assert len(line.scores) < line.num_samples


def test_the_winner_is_confirmed_on_fresh_prompts_and_seeds(searched: Searched) -> None:
    found = searched.lines[ANSWER].confirmed

    assert found is not None
    assert (found.seed, found.prompts % 8, found.repeated) == (SEED + SEEDS_APART, 0, found.prompts - 1)
    assert len(found.scores) == len(found.baseline_scores) == found.prompts
    assert found.score_loss_ci95 is not None and found.score_loss_ci95[1] <= LIMIT
    assert found.scores[:8] != searched.lines[ANSWER].scores
    assert "the prompts' source has 1 besides the 8 of the search" in searched.printed
    assert f"{ANSWER}: within 15 %: confirmed on {found.prompts} new images" in searched.printed


def test_the_baseline_holds_the_proof_and_the_log_says_it(searched: Searched) -> None:
    proof = searched.lines[BASELINE].search

    assert proof is not None
    assert (proof.confidence, proof.confirm, proof.ended) == (0.8, True, None)
    assert [(bound.max_loss, bound.trial) for bound in proof.bounds] == [(LIMIT, ANSWER)]
    [row, *_] = best([TaskResults(searched.run.task, searched.lines)], [LIMIT]).rows
    assert row.candidate.speedup == searched.lines[ANSWER].confirmed.speedup  # type: ignore[union-attr]
    assert "faster than predicted" in searched.printed
    assert "\nproof " in searched.printed


def test_calls_left_are_the_share_of_the_baselines_block_calls(searched: Searched) -> None:
    lines = searched.lines
    assert lines[BASELINE].calls_left == 1.0
    shallow, answer = lines[SHALLOW].calls_left, lines[ANSWER].calls_left
    assert shallow is not None and answer is not None
    assert 0 < shallow < answer < 1


def test_only_answers_are_profiled_and_after_the_last_timed_run(searched: Searched) -> None:
    busy = {name for name, line in searched.lines.items() if line.gpu_busy is not None}

    assert busy == {BASELINE, ANSWER}
    assert searched.runs[-len(busy) :] == ["profiled"] * len(busy)
    assert searched.runs.count("profiled") == len(busy)


def test_a_killed_search_measures_nothing_again_that_has_its_line(
    searched: Searched, resumed: Searched
) -> None:
    assert resumed.code == WorkerExit.OK
    kept = [line.trial for line in read(searched.run.results)[2:4]]
    assert all(resumed.lines[trial].attempt == 1 for trial in kept)
    assert all(f"{trial}: as before: " in resumed.printed for trial in kept)
    assert {line.attempt for name, line in resumed.lines.items() if name not in kept} == {2}


def test_at_the_budgets_end_the_answer_is_confirmed_and_says_what_was_not_measured(resumed: Searched) -> None:
    proof = resumed.lines[BASELINE].search

    assert proof is not None and proof.ended == "budget"
    assert proof.bounds[0].trial == ANSWER
    assert proof.bounds[0].open[SLOWER] == "not reached"
    assert (resumed.lines[SLOWER].status, resumed.lines[SLOWER].note) == ("pruned", "the budget ended first")
    assert "2 not measured when the budget ended" in resumed.printed
