"""The log of a worker: readable, bounded, without secrets."""

from pathlib import Path

import pytest

from accsearch.keeper.log import PROGRESS_INTERVAL, Log, last_state, redactor


def write(
    path: Path, *pieces: bytes, secrets: tuple[str, ...] = (), step: float = 0.0, **limits: int
) -> bytes:
    log = Log(path, redactor(secrets), **limits)
    for number, piece in enumerate(pieces):
        log.feed(piece, number * step)
    log.close()
    return path.read_bytes()


def test_lines_pass_unchanged_whatever_their_encoding(tmp_path: Path) -> None:
    text = b"caf\xe9 \xff\xfe\nplain\n\nlast\n"
    assert write(tmp_path / "log", text[:3], text[3:9], text[9:]) == text


def test_a_progress_bar_is_collapsed_to_its_last_state(tmp_path: Path) -> None:
    states = [b"\r%3d%%|#" % number for number in range(101)]
    assert write(tmp_path / "log", b"start\n", *states, b"\nend\n") == b"start\n100%|#\nend\n"


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_windows_line_ends_are_not_progress(tmp_path: Path, end: bytes) -> None:
    assert write(tmp_path / "log", b"one" + end[:1], end[1:] + b"two" + end) == b"one\ntwo\n"


def test_a_line_after_a_bar_that_erased_itself_is_whole(tmp_path: Path) -> None:
    content = write(tmp_path / "log", b"\r 50%|##  |\r          \rSuccessfully completed T\n")
    assert b"Successfully completed T" in content.split(b"\n")


def test_a_long_running_bar_shows_now_and_then(tmp_path: Path) -> None:
    states = [b"\r%d%%" % number for number in range(5)]
    content = write(tmp_path / "log", *states, step=PROGRESS_INTERVAL / 2)
    assert content == b"2%\n4%\n"


def test_gigabytes_of_carriage_returns_stay_small(tmp_path: Path) -> None:
    block = b"".join(b"\r%8d it" % number for number in range(6000))
    log = Log(tmp_path / "log", redactor(()))
    for _ in range(2000):
        log.feed(block, 0.0)
    log.feed(b"\nend\n", 0.0)
    log.close()
    assert (tmp_path / "log").read_bytes() == b"    5999 it\nend\n"


def test_a_flood_keeps_its_head_and_its_end(tmp_path: Path) -> None:
    lines = [b"line %06d\n" % number for number in range(20_000)]
    content = write(tmp_path / "log", *lines, b"sentinel\n", cap=40_000, head=10_000, tail=8_000)
    assert content.startswith(lines[0] + lines[1])
    assert content.endswith(lines[-1] + b"sentinel\n")
    assert len(content) <= 40_100
    assert b"bytes of output left out]\n" in content


def test_a_line_without_end_is_not_held_in_memory(tmp_path: Path) -> None:
    content = write(tmp_path / "log", *[b"x" * 50_000] * 10, b"\nend\n")
    assert content == b"x" * 500_000 + b"\nend\n"


def test_secrets_are_masked_even_between_other_bytes(tmp_path: Path) -> None:
    content = write(tmp_path / "log", b"\xff token=tops", b"ecret99 \xfe\n", secrets=("topsecret99",))
    assert content == b"\xff token=[redacted] \xfe\n"


def test_a_full_disk_is_remembered_and_the_output_still_taken() -> None:
    log = Log(Path("/dev/full"), redactor(()))
    log.feed(b"line\n", 0.0)
    log.feed(b"more\n", 0.0)
    log.close()
    assert log.error is not None
    assert log.error.strerror == "No space left on device"


def test_a_log_is_the_users_alone(tmp_path: Path) -> None:
    write(tmp_path / "log", b"x\n")
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("line", "left"),
    [
        (b"plain", b"plain"),
        (b"plain\r", b"plain\r"),
        (b"one\rtwo", b"\rtwo"),
        (b"one\rtwo\r", b"\rtwo\r"),
        (b"\r", b"\r"),
        (b"", b""),
    ],
)
def test_last_state(line: bytes, left: bytes) -> None:
    assert last_state(line) == left
    assert last_state(last_state(line)) == left


@pytest.mark.parametrize(
    "pieces",
    [
        (b"finished a", b"\r 100%|#| 3/3", b"\n\n"),
        (b"\r 50%|# | 2/4\rfinished a\r100%|##| 4/4\n",),
        (b"finished a \x1b[0m", b"\r", b"100%|##| 4/4\n"),
    ],
)
def test_a_bar_does_not_overwrite_the_success_line(tmp_path: Path, pieces: tuple[bytes, ...]) -> None:
    log = Log(tmp_path / "log", redactor(()), sentinel="finished a")
    for piece in pieces:
        log.feed(piece, 0.0)
    log.close()
    lines = (tmp_path / "log").read_bytes().splitlines()
    assert [line for line in lines if line.startswith(b"finished a")]
    assert b"100%|" in lines[1]


def test_a_success_line_with_a_windows_line_end_is_one_line(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", redactor(()), sentinel="finished a")
    for piece in (b"finished a", b"\r", b"\n"):
        log.feed(piece, 0.0)
    log.close()
    assert (tmp_path / "log").read_bytes() == b"finished a\n"
