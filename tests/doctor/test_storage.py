"""The work directory as `doctor` tries it."""

import os
from pathlib import Path

import pytest

from accsearch.checkpoint.filesystem import Mount
from accsearch.doctor.finding import Severity
from accsearch.doctor.storage import check_storage


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


def test_of_a_network_filesystem_it_says_what_holds_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accsearch.doctor.storage.mount_of", lambda folder: Mount("nfs4"))

    findings = {finding.subject: finding for finding in check_storage(tmp_path)}

    assert findings["filesystem"].level is Severity.NOTE
    assert "a sign of life every 5 s" in findings["filesystem"].text
