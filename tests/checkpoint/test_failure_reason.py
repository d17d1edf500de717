import pytest

from accsearch.checkpoint.failure_reason import classify, describe
from accsearch.checkpoint.markers import Exit
from accsearch.task import FailureReason, WorkerExit


def ended(code=None, signal=None, reason=None, message=None):
    return Exit(
        attempt=1, nonce="n", finished_at="", exit_code=code, signal=signal, reason=reason, message=message
    )


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (WorkerExit.ERROR, FailureReason.ERROR),
        (WorkerExit.CONFIG, FailureReason.CONFIG),
        (WorkerExit.VALIDATION, FailureReason.VALIDATION),
        (WorkerExit.OOM, FailureReason.OOM),
        (WorkerExit.LOST_GPU, FailureReason.LOST_GPU),
        (99, FailureReason.ERROR),
    ],
)
def test_codes_of_the_own_worker(code, reason):
    assert classify(ended(code), b"", own_worker=True) is reason


@pytest.mark.parametrize("code", [2, 3, 4, 5])
def test_codes_of_other_programs_mean_nothing_special(code):
    assert classify(ended(code), b"", own_worker=False) is FailureReason.ERROR


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        (b"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB", FailureReason.OOM),
        (b"RuntimeError: CUDA error: out of memory", FailureReason.OOM),
        (b"RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling", FailureReason.OOM),
        (b"x\nMemoryError", FailureReason.OOM),
        (b"x\nModuleNotFoundError: No module named 'tgate'", FailureReason.CONFIG),
        (b"usage: x.py [-h]\nx.py: error: unrecognized arguments: --pip", FailureReason.CONFIG),
        (b"Unable to determine the device handle: GPU is lost", FailureReason.LOST_GPU),
        (
            b"RuntimeError: CUDA driver initialization failed, you might not have a CUDA gpu.",
            FailureReason.LOST_GPU,
        ),
        (
            b"RuntimeError: CUDA unknown error - this may be due to an incorrectly set up",
            FailureReason.LOST_GPU,
        ),
        (b"caption: an ImportError: in a frame", FailureReason.ERROR),
        (b"ImportError: x\n" + b"." * 20_000, FailureReason.ERROR),
        (b"\xff\xfe", FailureReason.ERROR),
    ],
)
def test_signs_at_the_end_of_the_log(tail, reason):
    assert classify(ended(1), tail, own_worker=False) is reason


@pytest.mark.parametrize(
    ("how", "tail", "reason"),
    [
        (ended(signal=9), b"CUDA out of memory", FailureReason.KILLED),
        (ended(signal=6), b"terminate called: c10::OutOfMemoryError", FailureReason.OOM),
        (ended(signal=11), b"", FailureReason.KILLED),
        (ended(137), b"", FailureReason.KILLED),
        (ended(127), b"", FailureReason.CONFIG),
        (ended(signal=15, reason="timeout"), b"", FailureReason.TIMEOUT),
        (ended(signal=9, reason="hang"), b"CUDA out of memory", FailureReason.HANG),
        (ended(4, reason="lost_gpu"), b"", FailureReason.LOST_GPU),
        (ended(signal=15, reason="stopped"), b"", FailureReason.KILLED),
        (ended(127, reason="config"), b"", FailureReason.CONFIG),
    ],
)
def test_signals_and_the_keepers_word(how, tail, reason):
    assert classify(how, tail, own_worker=True) is reason


@pytest.mark.parametrize(
    ("how", "error", "text"),
    [
        (ended(1), "ValueError: 3", "ValueError: 3"),
        (ended(1), None, "exit code 1 and nothing printed"),
        (ended(signal=9), None, "ended by SIGKILL"),
        (ended(signal=200), None, "ended by signal 200"),
        (ended(signal=15, reason="timeout"), "step 3", "ended at its time limit; it last said: step 3"),
        (ended(signal=15, reason="stopped"), None, "ended by the scheduler (stopped)"),
        (ended(127, reason="config", message="cannot start x"), "junk", "cannot start x"),
    ],
)
def test_descriptions(how, error, text):
    assert describe(how, error) == text
