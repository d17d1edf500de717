"""Signs of life, judged by looks and the looker's own clock."""

import os

import pytest

from accsearch.checkpoint.heartbeat import LOOK, SILENCE, Watch, is_owned, renew, with_beat


@pytest.fixture
def marker(tmp_path):
    path = tmp_path / "a.running"
    path.write_bytes(with_beat({"nonce": "n1"}, 1))
    return path


def looked(watch, marker, begin, seconds, *others):
    """Return the silence after looking often for so many seconds."""
    silent, now = 0.0, begin
    while now <= begin + seconds:
        silent = watch.look(marker, now, others)
        now += LOOK
    return silent


def test_what_never_changes_is_silent_for_as_long_as_it_was_looked_at(marker):
    assert looked(Watch(), marker, 1000.0, SILENCE) == SILENCE


def test_a_beat_ends_the_silence(marker):
    watch = Watch()
    assert looked(watch, marker, 0.0, SILENCE / 2) == SILENCE / 2
    assert not watch.is_alive(marker)
    assert renew(marker, "n1", with_beat({"nonce": "n1"}, 2))
    assert watch.look(marker, SILENCE) == 0.0
    assert watch.is_alive(marker)
    assert looked(watch, marker, SILENCE, 10.0) == 10.0


def test_clocks_of_files_do_not_matter(marker):
    os.utime(marker, (1.0, 1.0))
    assert looked(Watch(), marker, 0.0, 10.0) == 10.0
    os.utime(marker, (4e9, 4e9))
    assert looked(Watch(), marker, 0.0, 10.0) == 10.0


def test_output_and_results_are_signs_of_life(marker, tmp_path):
    watch, log, results = Watch(), tmp_path / "a.log", tmp_path / "a.jsonl"
    assert looked(watch, marker, 0.0, 10.0, log, results) == 10.0
    for number, path in enumerate((log, log, results)):
        with path.open("a") as file:
            file.write("more\n")
        assert watch.look(marker, 12.0 + number, (log, results)) == 0.0


def test_who_slept_or_could_not_read_has_seen_no_silence(marker, tmp_path):
    watch = Watch()
    watch.look(marker, 0.0)
    assert watch.look(marker, 10_000.0) == 2 * LOOK
    gone = marker.rename(tmp_path / "aside")
    assert watch.look(marker, 20_000.0) == 2 * LOOK
    gone.rename(marker)
    assert watch.look(marker, 20_001.0) <= 4 * LOOK
    assert Watch().look(tmp_path / "none", 5.0) == 0.0


def test_a_marker_is_renewed_by_its_owner_alone(marker):
    size = marker.stat().st_size
    inode = marker.stat().st_ino
    for number in (9, 10, 999_999_999):
        assert renew(marker, "n1", with_beat({"nonce": "n1"}, number))
    assert (marker.stat().st_size, marker.stat().st_ino) == (size, inode)
    marker.write_bytes(with_beat({"nonce": "n2"}, 1))
    before = marker.read_bytes()
    assert not renew(marker, "n1", with_beat({"nonce": "n1"}, 4))
    assert not is_owned(marker, "n1") and is_owned(marker, "n2")
    assert marker.read_bytes() == before
    marker.unlink()
    assert not renew(marker, "n2", b"{}") and not is_owned(marker, "n2")
    assert not marker.exists()


def test_a_marker_that_cannot_be_read_is_taken_for_owned(tmp_path):
    assert is_owned(tmp_path, "n1")
