"""Content decides, whatever names, places and times say; the cache of hashes only saves time."""

import json
import os
import shutil
from pathlib import Path

import pytest

from accsearch.config import hash_cache
from accsearch.config.fingerprint import BLOCK, WHOLE, file_fingerprint, folder_fingerprint

HEAD = b"header" * 20_000
LARGE = WHOLE + 1


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of the cache, in a folder of this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "accsearch" / "file-hashes.json"


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a file that was just written count as one that was left alone for long."""
    monkeypatch.setattr(hash_cache, "SETTLED", -60.0)


def weights(path: Path, last: bytes, size: int = LARGE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(HEAD + bytes(size - len(HEAD) - len(last)) + last)
    return path


@pytest.mark.parametrize("size", [len(HEAD) + 1, LARGE, BLOCK, BLOCK + 1, 2 * BLOCK + 5])
def test_the_last_byte_counts_at_any_size(tmp_path: Path, size: int) -> None:
    one, other = weights(tmp_path / "a", b"a", size), weights(tmp_path / "b", b"b", size)

    assert file_fingerprint(one) != file_fingerprint(other)
    assert file_fingerprint(one) == file_fingerprint(weights(tmp_path / "again", b"a", size))


@pytest.mark.parametrize("swap", ["copied in place", "renamed over"])
def test_other_weights_with_the_old_times_are_noticed(tmp_path: Path, settled: None, swap: str) -> None:
    path, other = weights(tmp_path / "model" / "w", b"a"), weights(tmp_path / "other", b"b")
    before, times = file_fingerprint(path), path.stat()
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))

    if swap == "renamed over":
        other.rename(path)
    else:
        shutil.copy2(other, path)

    assert path.stat().st_mtime_ns == times.st_mtime_ns
    assert file_fingerprint(path) != before


def test_a_hash_is_computed_once_for_a_file_that_stays(tmp_path: Path, cache: Path, settled: None) -> None:
    path = weights(tmp_path / "w", b"a")
    before = file_fingerprint(path)
    (key,) = json.loads(cache.read_text())
    cache.write_text(json.dumps({key: "0" * 64}))

    # What the cache says is believed, so the file was not read again.
    assert file_fingerprint(path) != before
    path.touch()
    assert file_fingerprint(path) == before


def test_a_file_that_was_just_written_is_not_kept(tmp_path: Path, cache: Path) -> None:
    file_fingerprint(weights(tmp_path / "w", b"a"))

    assert not cache.exists()


def test_the_cache_is_the_users_alone_and_holds_both_of_two_files(
    tmp_path: Path, cache: Path, settled: None
) -> None:
    file_fingerprint(weights(tmp_path / "a", b"a"))
    file_fingerprint(weights(tmp_path / "b", b"b"))

    assert cache.parent.stat().st_mode & 0o777 == 0o700
    assert len(json.loads(cache.read_text())) == 2


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"\xff", b'{"a": 1, "b": "short"}', b"[" * 100_000], ids=range(6)
)
def test_a_damaged_cache_costs_only_time(tmp_path: Path, cache: Path, settled: None, content: bytes) -> None:
    path = weights(tmp_path / "w", b"a")
    before = file_fingerprint(path)
    cache.write_bytes(content)

    assert file_fingerprint(path) == before
    assert len(json.loads(cache.read_text())) == 1


@pytest.mark.parametrize("place", ["a file", "relative", "no home"])
def test_without_a_place_for_the_cache_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settled: None, place: str
) -> None:
    path = weights(tmp_path / "w", b"a")
    before = file_fingerprint(path)
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", {"a file": str(tmp_path / "file")}.get(place, "here"))
    monkeypatch.setenv("HOME", str(tmp_path / ("home" if place == "relative" else "file")))
    monkeypatch.chdir(tmp_path)

    assert file_fingerprint(path) == before
    assert not (tmp_path / "here").exists()


def test_linked_files_and_folders_count_by_what_they_lead_to(tmp_path: Path) -> None:
    plain, linked = tmp_path / "plain", tmp_path / "linked"
    weights(plain / "unet" / "w-00001-of-00002.safetensors", b"a")
    weights(plain / "unet" / "w-00002-of-00002.safetensors", b"b")
    shutil.copytree(plain, tmp_path / "store")
    linked.mkdir()
    (linked / "unet").symlink_to(tmp_path / "store" / "unet")

    assert folder_fingerprint(linked) == folder_fingerprint(plain)
    blob = (tmp_path / "store" / "unet" / "w-00002-of-00002.safetensors").rename(tmp_path / "blob")
    (tmp_path / "store" / "unet" / "w-00002-of-00002.safetensors").symlink_to(blob)
    assert folder_fingerprint(linked) == folder_fingerprint(plain)
    weights(blob, b"c")
    assert folder_fingerprint(linked) != folder_fingerprint(plain)


def test_a_link_back_to_the_folder_ends(tmp_path: Path) -> None:
    weights(tmp_path / "model" / "w", b"a")
    before = folder_fingerprint(tmp_path / "model")
    (tmp_path / "model" / "again").symlink_to(tmp_path / "model")

    assert folder_fingerprint(tmp_path / "model") == before
