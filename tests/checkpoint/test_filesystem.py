"""What is said of the file system of a work directory; the trial is real, the mounts are the test's."""

import fcntl
import os
from pathlib import Path

import pytest

from accsearch.checkpoint.filesystem import Mount, mount_of, remark, try_out
from accsearch.errors import StorageError


def test_a_file_system_of_one_host_needs_no_remark(tmp_path: Path) -> None:
    assert remark(tmp_path, Mount("ext4")) is None


@pytest.mark.parametrize(
    ("mount", "said"),
    [
        (Mount("nfs4", frozenset({"rw", "local_lock=none"})), "nfs4: renames are whole and locks hold between hosts;"),
        (Mount("nfs", frozenset({"nolock"})), "nfs (nolock): renames are whole and locks hold on one host only;"),
        (Mount("lustre", frozenset({"localflock"})), "lustre (localflock): renames are whole and locks hold on one"),
        (Mount("fuse.sshfs"), "fuse.sshfs: renames are whole and locks may hold on one host only;"),
    ],
)  # fmt: skip
def test_a_shared_one_is_tried_and_what_is_done_is_said(tmp_path: Path, mount: Mount, said: str) -> None:
    line = remark(tmp_path, mount)

    assert line is not None and line.startswith(f"{tmp_path}: {said}")
    assert "a sign of life every 5 s, and is taken over after 60 s without one" in line
    assert list(tmp_path.iterdir()) == []


def test_one_without_locks_is_known_by_the_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: object, operation: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)

    assert try_out(tmp_path) is False
    assert "lustre: renames are whole and there are no locks" in (remark(tmp_path, Mount("lustre")) or "")


def test_locks_that_keep_nobody_out_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", lambda file, operation: None)

    assert try_out(tmp_path) is False


def test_a_folder_where_a_file_is_not_made_by_one_alone_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "touch", lambda self, exist_ok: None)

    with pytest.raises(StorageError, match="O_EXCL does not hold"):
        try_out(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(old: object, new: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "rename", full)

    with pytest.raises(StorageError, match="No space left"):
        try_out(tmp_path)


def test_the_deepest_and_latest_mount_counts(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "1 0 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
        "2 1 0:40 / /data rw,noatime - nfs4 server:/data rw,local_lock=all\n"
        "3 2 0:41 / /data/my\\040runs rw master:2 - xfs /dev/sdb rw\n"
        "4 2 0:42 / /data/my\\040runs rw - btrfs /dev/sdc rw\n"
    )

    assert mount_of(Path("/home"), mounts).kind == "ext4"
    assert mount_of(Path("/data/other"), mounts) == Mount(
        "nfs4", frozenset({"rw", "noatime", "local_lock=all"})
    )
    assert mount_of(Path("/data/my runs/a"), mounts).kind == "btrfs"
    assert mount_of(Path("/dataset"), mounts).kind == "ext4"
    assert mount_of(Path("/"), tmp_path / "absent").kind == "unknown"
