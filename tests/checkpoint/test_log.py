import pytest

from accsearch.checkpoint.log import find_line, find_pattern, last_error, read_tail

SENTINEL = "Successfully completed T"


@pytest.fixture
def log(tmp_path):
    def write(data):
        path = tmp_path / "T.log"
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize(
    "data",
    [
        b"Successfully completed T\n",
        b"Successfully completed T",
        b"a\nSuccessfully completed T  \r\nbye\n",
        b"100%|####| 4/4\rSuccessfully completed T\n",
        b"\xff\xfe\x80\nSuccessfully completed T\n",
    ],
)
def test_a_whole_line_is_found(log, data):
    assert find_line(log(data), SENTINEL) is not None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Successfully completed T_50\n",
        b"not Successfully completed T\n",
        b"Successfully completed T?\n",
        b"Successfully completed",
        b"  Successfully completed T\n",
    ],
)
def test_a_part_of_a_line_is_not(log, data):
    assert find_line(log(data), SENTINEL) is None


@pytest.mark.parametrize(
    "before",
    [
        "100%|##########| 50/50 [00:01<00:00]",
        "\r100%|██████████| 7/7 [00:01<00:00,  4.81it/s]",
        "Loading pipeline components...: 100%|███| 7/7 [00:00<00:00, 81.2it/s]   ",
        "train:  40%|████      | 2.00k/5.00k [1:02:03<2:00:00, 1.3it/s, loss=0.1, shape=[1, 2]]",
        "\x1b[32m100%|███\x1b[0m| 3/3 [00:00<?, ?it/s]\x1b[0m",
        "17it [00:02, 8.50it/s]",
        "99%|#########9",
        "\r  [####################################]  100%",
        "10/10 [==============================] - 0s 3ms/step - loss: 0.0312",
        "10/10 ━━━━━━━━━━━━━━━━━━━━ 1s 3ms/step",
        "100% (50 of 50) |########################| Elapsed Time: 0:00:00 Time:  0:00:00",
        "|████████████████████████| 10/10 [100%] in 0.1s (98.11/s) ",
    ],
)
def test_a_bar_without_a_newline_does_not_hide_the_line_behind_it(log, before):
    assert find_line(log(f"work\n{before}{SENTINEL}\n".encode()), SENTINEL) is not None


@pytest.mark.parametrize(
    "line",
    [
        f"\x1b[1;32m{SENTINEL}\x1b[0m",
        f"\x1b[A\x1b[2K{SENTINEL}",
        f"{SENTINEL}100%|####| 3/3 [00:00<00:00, 9it/s]",
        f"\x1b]8;;file:///x\x07{SENTINEL}\x1b]8;;\x07",
    ],
)
def test_colours_and_a_bar_right_behind_are_none_of_the_line(log, line):
    assert find_line(log(f"{line}\n".encode()), SENTINEL) is not None


@pytest.mark.parametrize(
    "line",
    [
        f"caption: {SENTINEL}",
        f"3/10 {SENTINEL}",
        f"50% {SENTINEL}",
        f"\r2/3 prompt: {SENTINEL}",
        f"100%|####| 3/3 [00:00<00:00, 9it/s] prompt: {SENTINEL}",
        f"100%|####| 3/3 [00:00<00:00, 9it/s, prompt={SENTINEL}]",
        f"{SENTINEL}: 100%|####| 3/3 [00:00<00:00, 9it/s]",
        f"100%|{SENTINEL}",
        f"=== {SENTINEL}",
        f"a|b|{SENTINEL}",
        f"[{SENTINEL}",
        f"\x1b[1mnot \x1b[0m{SENTINEL}",
        f"--- 3/4 --- {SENTINEL}",
    ],
)
def test_a_text_that_repeats_the_line_is_not_it(log, line):
    assert find_line(log(f"work\n{line}\n".encode()), SENTINEL) is None


def test_long_lines_of_figures_are_searched_quickly(log):
    data = (b"### 1/2 " + b"1111 " * 3000 + SENTINEL.encode()) * 200 + b"x\n"

    assert find_line(log(data), SENTINEL) is None


def test_an_earlier_whole_line_is_found_behind_a_later_part(log):
    data = b"Successfully completed T\nprinted: Successfully completed T!\n"

    assert find_line(log(data), SENTINEL) == len(data)


def test_no_log_holds_no_line(tmp_path):
    assert find_line(tmp_path / "none.log", SENTINEL) is None
    assert find_pattern(tmp_path / "none.log", [".+"]) is None
    assert read_tail(tmp_path / "none.log") == b""


def test_the_tail_is_bounded(log):
    assert read_tail(log(b"a" * 1000 + b"end"), 5) == b"aaend"


@pytest.mark.parametrize("data", [b"0 Errors\n", b'caption: "An Error sign, no Traceback here"\n', b""])
def test_words_alone_match_no_pattern(log, data):
    assert find_pattern(log(data), ["CUDA out of memory", "^Traceback "]) is None


def test_a_pattern_at_a_line_start_is_found_anywhere(log):
    data = b"ok\nTraceback (most recent call last):\n  File\n" + b"x" * 200_000

    assert find_pattern(log(data), ["^Traceback "]) == "Traceback (most recent call last):"


def test_a_pattern_may_span_lines_and_hold_other_letters(log):
    path = log("one\ntwo fehlgeschlagen: größe\n".encode())

    assert find_pattern(path, [r"one\ntwo"]) == "one"
    assert find_pattern(path, ["größe"]) == "two fehlgeschlagen: größe"
    assert find_pattern(path, [r"gr\u00f6\u00dfe"]) == "two fehlgeschlagen: größe"


@pytest.mark.parametrize(
    ("tail", "said"),
    [
        (b"", None),
        (b"  \n\r\n", None),
        (b"hello\nbye\n", "bye"),
        (b"ValueError: black image 3\n  0%|   | 0/4 [00:00<?, ?it/s]\r", "ValueError: black image 3"),
        (
            b"Traceback\n  x\ntorch.OutOfMemoryError: CUDA out of memory.\nbye\n",
            "torch.OutOfMemoryError: CUDA out of memory.",
        ),
        (b"KeyError: 1\nDuring handling\nRuntimeError: 2\n", "RuntimeError: 2"),
        (b"KeyboardInterrupt\n", "KeyboardInterrupt"),
        (b"make: *** [all] Error 2\nleaving\n", "make: *** [all] Error 2"),
        (b"bash: line 1: nothing: command failed\n\xff\xff\n", "bash: line 1: nothing: command failed"),
    ],
)
def test_the_last_error_line(tail, said):
    assert last_error(tail) == said


def test_our_own_workers_last_error_counts_before_warnings_and_tracebacks() -> None:
    tail = b"UserWarning: old\n1 of 2 trials failed:\n  a: X\nerror: InductorError: no compiler\nKeyError: at exit\n"

    assert last_error(tail, own_worker=True) == "InductorError: no compiler"
    assert last_error(tail) == "KeyError: at exit"
