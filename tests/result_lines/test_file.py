import json
import subprocess
import sys

import pytest

from accsearch.result_lines.file import append, latest, read, validate
from accsearch.result_lines.line import ResultLine
from accsearch.task import BASELINE, Trial

TRIALS = (Trial(BASELINE, {}), Trial("tome-r0.5-d1", {"tome": {"ratio": 0.5, "max_downsample": 1}}))


def line(trial=BASELINE, status="ok", **changes):
    given = {
        "seconds_per_image": 0.5,
        "scores": (30.0, 31.0),
        "clip_score": 30.5,
        "num_samples": 2,
    } | changes
    return ResultLine(task="T", trial=trial, key="k", attempt=1, methods={}, status=status, **given)


def test_lines_come_back_in_order(tmp_path):
    path = tmp_path / "new" / "T.jsonl"

    append(path, line())
    append(path, line("tome-r0.5-d1"))

    assert [each.trial for each in read(path)] == [BASELINE, "tome-r0.5-d1"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_last_line_of_a_trial_wins(tmp_path):
    path = tmp_path / "T.jsonl"
    append(path, line(status="failed", error="black images"))
    append(path, line(seconds_per_image=0.25))

    assert latest(read(path))[BASELINE].seconds_per_image == 0.25


def test_a_torn_last_line_is_not_read_and_is_cut_by_the_next_append(tmp_path):
    path = tmp_path / "T.jsonl"
    append(path, line())
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"task": "T", "trial": "tome' + b" " * 70_000)

    assert len(read(path)) == 1
    append(path, line("tome-r0.5-d1"))

    assert path.read_bytes().startswith(whole)
    assert [json.loads(raw)["trial"] for raw in path.read_bytes().splitlines()] == [BASELINE, "tome-r0.5-d1"]


def test_a_file_that_is_one_torn_line_starts_afresh(tmp_path):
    path = tmp_path / "T.jsonl"
    path.write_bytes(b'{"task"')

    append(path, line())

    assert len(read(path)) == 1


@pytest.mark.parametrize("junk", [b"\0\0\0\0", b"[1]", b"\xff\xfe", b'{"task": "T"}', b'{"clip_score": NaN}'])
def test_what_is_not_a_result_line_is_left_out(tmp_path, junk):
    path = tmp_path / "T.jsonl"
    append(path, line())
    path.write_bytes(junk + b"\n" + path.read_bytes())

    assert [each.trial for each in read(path)] == [BASELINE]


def test_no_file_means_no_lines(tmp_path):
    assert read(tmp_path / "none.jsonl") == []


@pytest.mark.process
def test_a_full_disk_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "T.jsonl"
    append(path, line())
    before = path.read_bytes()

    # A file size limit cuts the write short as a full disk does; it is set in a child of its own.
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from accsearch.errors import StorageError\n"
        "from accsearch.result_lines.file import append, read\n"
        "path = Path(sys.argv[1]); line = read(path)[0]; size = path.stat().st_size\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, size + 10))\n"
        "try: append(path, line)\n"
        "except StorageError as error: print(error)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)

    assert str(path) in ended.stdout
    assert path.read_bytes() == before


def test_complete_results_are_valid(tmp_path):
    path = tmp_path / "T.jsonl"
    append(path, line())
    append(path, line("tome-r0.5-d1", status="pruned", seconds_per_image=None, scores=(), clip_score=None))

    assert validate(path, TRIALS) is None


@pytest.mark.parametrize(
    ("trial", "message"),
    [
        (line("tome-r0.5-d1", status="failed", error="black image 3"), "tome-r0.5-d1: failed: black image 3"),
        (line("other"), "tome-r0.5-d1: no result"),
        (line("tome-r0.5-d1", seconds_per_image=None), "tome-r0.5-d1: no time"),
        (line("tome-r0.5-d1", scores=(30.0,)), "tome-r0.5-d1: 1 scores for 2 prompts"),
        (line("tome-r0.5-d1", scores=(30.0, float("nan"))), "tome-r0.5-d1: a score is not a number"),
    ],
)
def test_what_is_wrong_names_the_trial(tmp_path, trial, message):
    path = tmp_path / "T.jsonl"
    append(path, line())
    append(path, trial)

    assert message in validate(path, TRIALS)


def test_many_faults_are_counted_not_listed(tmp_path):
    trials = tuple(Trial(f"t{k}", {}) for k in range(10))

    assert validate(tmp_path / "none.jsonl", trials).endswith("; and 7 more")


def test_a_task_without_a_scorer_is_valid(tmp_path):
    path = tmp_path / "T.jsonl"
    append(path, line(scores=(), clip_score=None))

    assert validate(path, TRIALS[:1]) is None
