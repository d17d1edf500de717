"""A hub that does not answer is found out at once, and the error says what helps."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from accsearch.config.load import build_config
from accsearch.worker.hub import is_reachable, offline_without_hub

PROXIES = ("http_proxy", "https_proxy", "all_proxy")
GRID = {"sched": ["DDIM"], "steps": ["4"]}


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    # Whatever a test sets is taken back.
    monkeypatch.setenv("HF_HUB_OFFLINE", "")


@pytest.fixture
def closed() -> str:
    """An address of this machine at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def listening() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_server_that_listens_is_reachable(closed: str, listening: str) -> None:
    assert is_reachable(listening)
    assert not is_reachable(closed)


def test_a_server_that_takes_the_connection_and_never_answers_is_not(listening: str) -> None:
    # A wall that lets TCP through and drops TLS, as for https
    assert not is_reachable(listening.replace("http:", "https:"))


def test_behind_a_proxy_nothing_is_concluded(closed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    assert is_reachable(closed)


def test_a_client_that_is_imported_already_stays_offline_as_well(
    closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_ENDPOINT", closed)

    offline_without_hub(build_config({"grid": {"pipe": ["SD1.5"], **GRID}, "methods": {}}))

    assert constants.is_offline_mode()


def test_the_cache_alone_is_used_where_the_hub_is_needed_and_silent(
    closed: str, listening: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    needing = build_config({"grid": {"pipe": ["SD1.5"], **GRID}, "methods": {}})
    built_in = build_config({"grid": {"pipe": ["demo"], **GRID}})

    monkeypatch.setenv("HF_ENDPOINT", listening)
    assert offline_without_hub(needing) is None
    monkeypatch.setenv("HF_ENDPOINT", closed)
    assert offline_without_hub(built_in) is None
    assert os.environ["HF_HUB_OFFLINE"] == ""
    assert offline_without_hub(needing) == (
        f"the hub {closed} cannot be reached: only what is in the local cache is used"
    )
    assert os.environ["HF_HUB_OFFLINE"] == "1"


def test_a_worker_without_the_hub_fails_at_once_and_says_what_helps(closed: str, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment |= {"HF_ENDPOINT": closed, "HF_HOME": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "accsearch.worker", "--pipe", "SD1.5", "--sched", "DDIM", "--steps", "4"]

    ended = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert ended.returncode not in (0, 2)
    assert f"note: the hub {closed} cannot be reached" in ended.stdout
    assert "Retry" not in ended.stderr
    error = ended.stderr.splitlines()[-1]
    assert error.startswith("error: prompts.dataset: phiyodr/coco2017 cannot be loaded (where the hub")
    for help_ in ("prompts: {file: prompts.txt}", "HF_ENDPOINT", "HF_HOME", "accsearch doctor CONFIG"):
        assert help_ in error
