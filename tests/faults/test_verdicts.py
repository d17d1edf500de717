"""What makes an attempt a success: its exit code, the sentinel as a whole line, and no failure pattern."""

import pytest
from tests.faults.program import Work

ONE = ("--gpus", "none", "--slots", "1")
VERDICTS = {
    "sentinel, then exit 3": ("echo finished a; exit 3", "error"),
    "sentinel, then killed": ("echo finished a; kill -9 $$", "killed"),
    "sentinel within a line": ("echo not finished a; exit 0", "incomplete"),
    "sentinel with more behind it": ("echo finished ab; exit 0", "incomplete"),
    "traceback, then sentinel": ("printf 'Traceback (most recent call last):\\nKeyError: x\\n'", "error"),
    "out of memory, then sentinel": ("echo 'RuntimeError: CUDA out of memory'", "oom"),
    "nothing wrong": ("echo 0 Errors, no Traceback here", None),
    "sentinel after a progress bar": ("printf '\\r 50%%\\r100%%\\r'", None),
    "much output after the sentinel": ("echo finished a; seq 20000; exit 0", None),
}


@pytest.mark.parametrize("kind", VERDICTS)
def test_an_attempt_is_judged_by_code_sentinel_and_patterns(work: Work, kind: str) -> None:
    script, reason = VERDICTS[kind]
    work.shell(script, ["a"], retry={"max_attempts": 1})
    run = work.run(*ONE)
    if reason is None:
        assert run.process.returncode == 0, run.text
        assert work.markers("failed") == []
        assert work.json("plan", "c.yaml", "--json")["tasks"][0]["action"] == "skip"
    else:
        assert run.process.returncode == 1, run.text
        assert work.marker("a.failed")["reason"] == reason
        assert work.markers("done") == []
