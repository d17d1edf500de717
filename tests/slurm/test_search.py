"""A search on a real Slurm: interrupted as at its time limit, and compared with a run on one machine."""

import json
from pathlib import Path
from typing import Any

from tests.faults.eventually import eventually
from tests.faults.program import ACCSEARCH, Program
from tests.slurm.work import SlurmWork

SEARCH = 240.0
"""Seconds after which a search, of which each start imports torch, will never end."""
QUICK = {"repeats": 1, "max_repeats": 1, "warmup": 0}
ONE_THREAD = {"env": {"OMP_NUM_THREADS": "1"}}
"""A job of Slurm gets one core, a local slot those that are free; sums over other numbers of threads differ in bits."""


def lines(root: Path) -> list[dict[str, Any]]:
    path = root / "results" / "c" / "tiny_DDIM_4.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def images(root: Path) -> dict[str, str]:
    """Return the hash of the images of each trial."""
    return {line["trial"]: line["images_sha256"] for line in lines(root)}


def test_a_search_that_is_cut_off_goes_on_and_draws_what_it_draws_on_one_machine(work: SlurmWork) -> None:
    config = {
        "grid": {"pipe": [{"name": "tiny", "model": "builtin:tiny-sd"}], "sched": ["DDIM"], "steps": [4]},
        "prompts": {"file": "prompts.txt"},
        "quality": {"model": "builtin:tiny"},
        "methods": {"deepcache": {"cache_interval": [2, 3], "cache_branch_id": [0]}},
        "retry": {"max_attempts": 1, "backoff": "0s"},
        "worker": {
            "num_samples": 2,
            "batch_size": 2,
            "device": "cpu",
            "dtype": "float32",
            **ONE_THREAD,
            **QUICK,
        },
    }
    (work.folder / "c.yaml").write_text(json.dumps(config))
    (work.folder / "prompts.txt").write_text("a red circle\na blue square\n")
    # When the job is asked to end after its first trial, as Slurm does before the time limit
    with work.start_run() as run:
        eventually(lambda: bool(lines(work.root)), "the first trial is measured")
        work.cluster.command("scancel", "--batch", "--signal=TERM", *work.queue("RUNNING"))
        assert run.end(SEARCH) == 0, run.text
    # Then a second attempt has measured the rest, and no attempt was counted
    assert [line["attempt"] for line in lines(work.root)][:1] == [1]
    assert work.marker("tiny_DDIM_4.done")["attempt"] == 2
    # And all of it is what one machine alone draws
    alone = work.folder / "alone"
    words = ("run", "c.yaml", "--gpus", "none", "--slots", "1", "--workdir", str(alone))
    with Program(words, work.env, work.folder, ACCSEARCH) as run:
        assert run.end(SEARCH) == 0, run.text
    assert len(images(alone)) == 3
    assert images(alone) == images(work.root)
