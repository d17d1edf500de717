import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from PIL import Image

from accsearch.checkpoint.plan import store_plan
from accsearch.config.load import build_config
from accsearch.grid import expand
from accsearch.grid.setting import reuse_key, setting_of
from accsearch.report.images import PER_TRIAL, Thumbnails
from accsearch.report.page import page, write_page
from accsearch.result_lines.file import append, read
from accsearch.workdir import WorkDir

NOW = datetime(2026, 1, 2, tzinfo=UTC)


class Balance(HTMLParser):
    """Checks that every element is closed in order."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def check(document):
    parser = Balance()
    parser.feed(document)
    assert parser.open == []


def test_a_work_directory_without_runs_has_a_page(tmp_path):
    document = page(WorkDir(tmp_path), NOW)

    check(document)
    assert "Nothing has been run here yet." in document


def test_the_page_shows_bounds_trials_failures_and_versions(workdir):
    document = page(workdir, NOW)

    check(document)
    for shown in (
        "2.00x",
        "[1.90, 2.10]",
        "0.40 %",
        "31.5",
        "within",
        "2.13.0",
        "NVIDIA H200",
        "580.1",
        "oom",
    ):
        assert shown in document
    assert document.count("<circle") == 2
    assert "short" in document


def test_what_others_wrote_is_escaped(workdir):
    document = page(workdir, NOW)

    assert "&lt;script&gt;" in document
    assert "<script" not in document
    assert "OutOfMemoryError: &lt;b&gt;2 GiB" in document


@pytest.fixture
def two_measured(workdir, grid):
    """The work directory whose second task has the first one's trials too, at twice the times."""
    first, second = grid.tasks
    setting = setting_of(grid.config, second, batch_size=2, dtype="float16", gpu_model="NVIDIA H200")
    for line in read(workdir.task("C", first.id).results):
        if line.condition is None:
            times = tuple(2 * each for each in line.times)
            key = reuse_key(setting, line.methods)
            again = replace(
                line, task=second.id, key=key, seconds_per_image=2 * line.seconds_per_image, times=times
            )
            append(
                workdir.task("C", second.id).results,
                replace(again, host_bound=True, gpu_busy=0.42, note="{{ 7 * 7 }} {% raw %}"),
            )
    return workdir


def test_tasks_are_compared_over_the_whole_grid(two_measured, grid):
    document = page(two_measured, NOW)

    check(document)
    assert "Over the whole grid, against one reference task" in document
    assert f"<td>{grid.tasks[0].id}</td>" in document
    assert "host-bound: a kernel runs 42 % of the time" in document


def test_what_others_wrote_is_no_template(two_measured):
    assert "{{ 7 * 7 }} {% raw %}" in page(two_measured, NOW)


def test_a_configuration_of_commands_has_no_bound(workdir):
    workdir.create("D")
    worker = {"kind": "command", "command": ["true"]}
    store_plan(workdir, expand(build_config({"grid": {"a": [1]}, "worker": worker}, name="D")), {}, None, ".")

    document = page(workdir, NOW)

    check(document)
    assert "Its workers are commands, which have no trials." in document


def test_nothing_is_loaded_from_elsewhere(workdir):
    document = page(workdir, NOW)

    assert re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?(?!data:)[^\"'\s)]+", document) == []
    assert "http" not in document


def test_the_values_of_the_workers_environment_are_not_shown(workdir):
    document = page(workdir, NOW)

    assert "MY_TOKEN" in document
    assert "correct-horse-battery" not in document


def test_results_of_a_half_finished_task_are_shown(workdir, grid):
    workdir.task("C", grid.tasks[0].id).done.unlink()

    document = page(workdir, NOW)

    assert "Unfinished tasks" in document
    assert "2.00x" in document


def test_the_page_is_written_whole(workdir, tmp_path):
    write_page(workdir, tmp_path / "report.html")

    assert (tmp_path / "report.html").read_text().endswith("</html>\n")
    assert [path.name for path in tmp_path.glob("report*")] == ["report.html"]


@pytest.fixture
def kept(workdir, grid):
    paths = workdir.task("C", grid.tasks[0].id)
    (paths.images / "baseline").mkdir(parents=True)
    for number in range(PER_TRIAL + 2):
        Image.new("RGB", (512, 256), (200, 20 * number, 0)).save(
            paths.images / "baseline" / f"{number:04}.png"
        )
    return paths


def test_kept_images_become_thumbnails(workdir, kept):
    document = page(workdir, NOW)

    check(document)
    assert document.count('src="data:image/jpeg;base64,') == PER_TRIAL


def test_thumbnails_stop_at_their_budget(kept):
    assert Thumbnails(budget=100).of_trial(kept, "baseline") == []
    assert len(Thumbnails().of_trial(kept, "baseline")) == PER_TRIAL


def test_a_damaged_image_is_left_out(kept):
    (kept.images / "baseline" / "0000.png").write_bytes(b"no image")

    assert len(Thumbnails().of_trial(kept, "baseline")) == PER_TRIAL - 1
