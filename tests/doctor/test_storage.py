"""The work directory as `doctor` tries it."""

import os
from pathlib import Path

import pytest

from accsearch.doctor.finding import Severity
from accsearch.doctor.storage import check_storage, filesystem_of


def test_a_sound_directory_is_left_as_it_was(tmp_path: Path) -> None:
    findings = {finding.subject: finding for finding in check_storage(tmp_path)}

    assert findings["work directory"].level is Severity.OK
    assert list(tmp_path.iterdir()) == []


def test_a_directory_yet_to_be_made_is_tried_in_its_parent(tmp_path: Path) -> None:
    finding = next(check_storage(tmp_path / "runs" / "new"))

    assert finding.level is Severity.OK
    assert f"tried in {tmp_path}" in finding.text
    assert list(tmp_path.iterdir()) == []


def test_a_failing_fsync_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    finding = next(check_storage(tmp_path))

    assert finding.level is Severity.ERROR
    assert "No space left on device" in finding.text


def test_a_network_filesystem_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accsearch.doctor.storage.filesystem_of", lambda folder: "nfs4")

    findings = {finding.subject: finding for finding in check_storage(tmp_path)}

    assert findings["filesystem"].level is Severity.WARNING


def test_the_deepest_and_latest_mount_counts(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "1 0 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
        "2 1 0:40 / /data rw - nfs4 server:/data rw\n"
        "3 2 0:41 / /data/my\\040runs rw master:2 - xfs /dev/sdb rw\n"
        "4 2 0:42 / /data/my\\040runs rw - btrfs /dev/sdc rw\n"
    )

    assert filesystem_of(Path("/home"), mounts) == "ext4"
    assert filesystem_of(Path("/data/other"), mounts) == "nfs4"
    assert filesystem_of(Path("/data/my runs/a"), mounts) == "btrfs"
    assert filesystem_of(Path("/dataset"), mounts) == "ext4"
    assert filesystem_of(Path("/"), tmp_path / "absent") == "unknown"
