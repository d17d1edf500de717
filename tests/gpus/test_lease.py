"""Leases between real processes: inherited, one at a time, across users, whatever is in the folder."""

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accsearch.errors import StorageError
from accsearch.gpus.lease import acquire, holder
from accsearch.gpus.lease_files import lease_file, lease_folder, open_lock_file

pytestmark = pytest.mark.process

GPU = "GPU-0000"
# Takes the lease, says whether it did, holds it until its input ends.
TAKE = """
import os, pwd, sys
from pathlib import Path
from accsearch.errors import StorageError
from accsearch.gpus.lease import acquire
if sys.argv[1] != "-" and os.geteuid() == 0:
    os.setgid(int(sys.argv[1]))
    os.setuid(int(sys.argv[1]))
try:
    lease = acquire(sys.argv[2], Path("/data/run"))
    print("yes" if lease else "no", flush=True)
except StorageError as error:
    print(error, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A lease folder that other users can reach, as pytest's own folders cannot be."""
    parent = Path(tempfile.mkdtemp(prefix="accsearch-test-"))
    parent.chmod(0o1777)
    monkeypatch.setenv("ACCSEARCH_LEASES", str(parent / "leases"))
    yield parent / "leases"
    shutil.rmtree(parent)


class Taker:
    """A process that tried to take the lease, and holds it until `end`."""

    def __init__(self, user: int | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", TAKE, "-" if user is None else str(user), GPU],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.answer = self.process.stdout.readline().strip()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def taker() -> Iterator[Callable[..., Taker]]:
    """Start processes that try to take the lease; all are ended with the test."""
    started: list[Taker] = []

    def start(user: int | None = None) -> Taker:
        started.append(Taker(user))
        return started[-1]

    yield start
    for one in started:
        one.end()


def test_one_process_at_a_time(taker: Callable[..., Taker]) -> None:
    first = taker()
    second = taker()
    first.end()
    third = taker()

    assert (first.answer, second.answer, third.answer) == ("yes", "no", "yes")


def test_two_leases_of_one_process_exclude_each_other() -> None:
    first = acquire(GPU)
    second = acquire(GPU)
    other = acquire("GPU-1111")

    assert first is not None and other is not None
    assert second is None
    first.close()
    again = acquire(GPU)
    assert again is not None
    again.close()
    other.close()


def test_a_lease_outlives_its_taker_in_who_inherited_it() -> None:
    lease = acquire(GPU)
    assert lease is not None
    keeper = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[lease.fileno()])
    lease.close()

    while_it_lives = acquire(GPU)
    keeper.communicate()
    afterwards = acquire(GPU)

    assert while_it_lives is None
    assert afterwards is not None
    afterwards.close()


def test_a_child_that_was_not_given_the_lease_does_not_hold_it() -> None:
    lease = acquire(GPU)
    assert lease is not None
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False)
    lease.close()

    again = acquire(GPU)
    child.communicate()

    assert again is not None
    again.close()


def test_the_holder_is_known(taker: Callable[..., Taker]) -> None:
    assert holder(GPU) is None
    one = taker()

    found = holder(GPU)
    one.end()

    assert found is not None
    assert found.pid == one.process.pid
    assert found.alive
    assert "leased by pid" in str(found)
    assert "working in /data/run" in str(found)
    assert holder(GPU) is None


def test_a_holder_that_died_and_left_the_lease_is_named_as_such(folder: Path) -> None:
    program = TAKE.replace("sys.stdin.read()", "") + (
        "import subprocess\n"
        "child = subprocess.Popen(['cat'], pass_fds=[lease.fileno()], stdout=subprocess.DEVNULL)\n"
    )
    taker = subprocess.Popen(
        [sys.executable, "-c", program, "-", GPU], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert taker.stdout is not None
    assert taker.stdout.read() == "yes\n"
    taker.wait()

    found = holder(GPU)
    assert taker.stdin is not None
    taker.stdin.close()
    taker.stdout.close()

    assert found is not None
    assert not found.alive
    assert str(found).endswith("it has ended, its worker has not")


def test_looking_at_the_holder_never_costs_anyone_the_lease(taker: Callable[..., Taker]) -> None:
    program = """
import sys
from accsearch.gpus.lease import holder
print("looking", flush=True)
while True:
    holder(sys.argv[1])
"""
    acquired = acquire(GPU)
    assert acquired is not None
    acquired.close()
    lookers = [
        subprocess.Popen([sys.executable, "-c", program, GPU], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    refused = 0
    for looker in lookers:
        assert looker.stdout is not None
        looker.stdout.readline()
    for _ in range(300):
        lease = acquire(GPU)
        refused += lease is None
        if lease is not None:
            lease.close()
    for looker in lookers:
        looker.kill()
        looker.communicate()

    assert refused == 0


def test_two_users_share_one_folder(taker: Callable[..., Taker], folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o1777)
    first = taker(65534)
    path = next(folder.iterdir())
    # Without the right to become other users, all are this one and the file is read-only as another's is.
    if os.geteuid() != 0:
        path.chmod(0o444)
    second = taker(65533)
    first.end()
    third = taker(65533)
    found = holder(GPU)

    assert path.stat().st_mode & 0o022 == 0
    assert (first.answer, second.answer, third.answer) == ("yes", "no", "yes")
    assert found is not None
    assert found.pid == third.process.pid


def test_the_folder_is_for_everyone_and_no_one_removes_anothers_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ACCSEARCH_LEASES")
    monkeypatch.setattr("accsearch.gpus.lease_files.SHARED_FOLDER", folder)
    previous = os.umask(0o077)
    try:
        lease = acquire(GPU)
    finally:
        os.umask(previous)

    assert lease is not None
    assert list(folder.parent.iterdir()) == [folder]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o1777
    assert stat.S_IMODE(lease.path.stat().st_mode) == 0o644
    lease.close()


@pytest.mark.parametrize("variable", ["ACCSEARCH_LEASES", "ACCSEARCH_LEASE_DIR"])
def test_a_given_folder_is_made_for_everyone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, taker: Callable[..., Taker], variable: str
) -> None:
    monkeypatch.delenv("ACCSEARCH_LEASES")
    monkeypatch.setenv(variable, str(folder / "deeper"))
    previous = os.umask(0o077)
    try:
        folder.mkdir(0o755)
        folder.chmod(0o755)
        lease = acquire(GPU)
    finally:
        os.umask(previous)

    assert lease is not None
    assert lease.path.parent == folder / "deeper"
    assert stat.S_IMODE((folder / "deeper").stat().st_mode) == 0o1777
    assert taker(65534).answer == "no"
    lease.close()
    assert taker(65534).answer == "yes"


def test_a_holder_in_another_container_is_named_as_such(
    taker: Callable[..., Taker], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = taker()
    text = json.loads(lease_file(GPU).read_text()) | {"pid": 7, "namespace": "pid:[1]"}
    lease_file(GPU).write_text(json.dumps(text))
    seen_from_here = str(holder(GPU))
    # The kernel does not show a process of another pid namespace.
    monkeypatch.setattr("accsearch.gpus.holder._locker", lambda inode: None)

    assert f"leased by pid {one.process.pid}" in seen_from_here
    assert str(holder(GPU)).startswith("leased by pid 7 of another container (")
    assert "has ended" not in str(holder(GPU))


def test_a_folder_in_which_anyone_may_remove_files_is_refused(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(StorageError, match="chmod 1777"):
        lease_folder()


@pytest.mark.parametrize("kind", ["symlink", "file"])
def test_a_folder_that_is_not_one_is_refused(folder: Path, tmp_path: Path, kind: str) -> None:
    if kind == "symlink":
        folder.symlink_to(tmp_path)
    else:
        folder.write_text("")
    with pytest.raises(StorageError, match="not a plain file or folder"):
        acquire(GPU)


@pytest.mark.parametrize("kind", ["symlink", "fifo"])
def test_a_planted_lock_file_is_refused_and_nothing_written_through_it(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "precious"
    target.write_text("mine")
    planted = lease_file(GPU)
    if kind == "symlink":
        planted.symlink_to(target)
    else:
        os.mkfifo(planted)

    with pytest.raises(StorageError, match="remove it"):
        acquire(GPU)
    assert target.read_text() == "mine"


def test_a_hard_link_to_ones_own_file_is_not_overwritten(tmp_path: Path, folder: Path) -> None:
    lease_folder()
    target = folder.parent / "precious"
    target.write_text("mine")
    os.link(target, lease_file(GPU))

    lease = acquire(GPU)

    assert lease is not None
    assert target.read_text() == "mine"
    lease.close()


def test_a_lock_file_removed_by_a_cleaner_is_made_anew() -> None:
    lease = acquire(GPU)
    assert lease is not None
    lease.path.unlink()
    lease.close()

    again = acquire(GPU)

    assert again is not None
    assert os.path.samestat(os.fstat(again.fileno()), again.path.stat())
    again.close()


def test_a_lock_on_a_file_that_is_removed_meanwhile_counts_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cleaned = []

    def cleaner_comes_after(path: Path) -> int:
        descriptor = open_lock_file(path)
        if not cleaned:
            cleaned.append(path)
            path.unlink()
        return descriptor

    monkeypatch.setattr("accsearch.gpus.lease.open_lock_file", cleaner_comes_after)

    lease = acquire(GPU)

    assert cleaned
    assert lease is not None
    assert os.path.samestat(os.fstat(lease.fileno()), lease.path.stat())
    lease.close()


def test_touching_keeps_a_lease_young() -> None:
    lease = acquire(GPU)
    assert lease is not None
    os.utime(lease.path, (0, 0))

    lease.touch()

    assert lease.path.stat().st_mtime > 0
    lease.close()


def test_a_damaged_note_is_no_obstacle(taker: Callable[..., Taker]) -> None:
    one = taker()
    lease_file(GPU).write_text('{"pid": ')

    found: Any = holder(GPU)

    assert found.pid == one.process.pid
    assert found.workdir is None
    one.end()
    assert json.loads(json.dumps(str(found))).startswith("leased by pid")


def test_old_mig_names_make_one_file(folder: Path) -> None:
    assert lease_file("MIG-GPU-1/2/0") == folder / "MIG-GPU-1_2_0.lock"
