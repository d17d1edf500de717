"""Which cores a process may use: its binding, and the quotas of its control groups."""

from pathlib import Path

import pytest

from accsearch.cores import PASSIVE, free_threads, quota, shared_settings, thread_settings


def group(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(f"{text}\n")


def process(folder: Path, *groups: str) -> Path:
    folder.mkdir()
    (folder / "cgroup").write_text("".join(f"{each}\n" for each in groups))
    return folder


def test_the_strictest_quota_on_the_way_up_decides(tmp_path: Path) -> None:
    own = process(tmp_path / "self", "0::/pods/one/job")
    groups = tmp_path / "cgroup"
    group(groups / "pods", cpu__max="800000 100000")
    group(groups / "pods" / "one", cpu__max="150000 100000")
    group(groups / "pods" / "one" / "job", cpu__max="max 100000")
    assert quota(own, groups) == 1.5


def test_a_quota_of_version_1_is_found_in_a_container(tmp_path: Path) -> None:
    # The kernel names the group's path on the host; in the container it is what is mounted.
    own = process(tmp_path / "self", "4:memory:/docker/ab12", "3:cpu,cpuacct:/docker/ab12", "0::/")
    group(tmp_path / "cgroup" / "cpu,cpuacct", cpu__cfs_quota_us="300000", cpu__cfs_period_us="100000")
    assert quota(own, tmp_path / "cgroup") == 3


@pytest.mark.parametrize(
    "files", [{}, {"cpu__max": "max 100000"}, {"cpu__cfs_quota_us": "-1", "cpu__cfs_period_us": "100000"}]
)
def test_without_a_limit_there_is_no_quota(files: dict[str, str], tmp_path: Path) -> None:
    own = process(tmp_path / "self", "3:cpu:/a", "0::/a")
    for folder in ("cpu/a", "a"):
        group(tmp_path / "cgroup" / folder, **files)
    assert quota(own, tmp_path / "cgroup") is None
    assert quota(tmp_path / "absent", tmp_path / "cgroup") is None


@pytest.mark.parametrize(
    ("cores", "others", "threads"),
    [(2, 1.0, 1), (2, 0.05, 2), (2, 0.4, 1), (8, 2.9, 5), (4, 4.0, 1), (1, 9.0, 1), (6, None, 6)],
)
def test_threads_are_as_many_as_cores_are_free(cores: int, others: float | None, threads: int) -> None:
    assert free_threads(cores, others) == threads


def test_what_the_user_has_set_stands() -> None:
    counts = {"OMP_NUM_THREADS": "3", "MKL_NUM_THREADS": "3"}
    assert thread_settings(3, {}) == counts
    assert shared_settings(3, 0.1, {}) == counts
    assert shared_settings(4, 1.0, {}) == {**counts, **PASSIVE}
    given = {"OMP_NUM_THREADS": "7", "OMP_WAIT_POLICY": "ACTIVE"}
    assert shared_settings(4, 1.0, given).keys() == PASSIVE.keys() - given.keys()
