"""What is said of an executor that cannot be opened."""

from pathlib import Path

import pytest

from accsearch.config.load import build_config
from accsearch.config.schema import Config
from accsearch.errors import UsageError
from accsearch.executors import opening
from accsearch.executors.opening import open_executor
from accsearch.executors.ray_nodes import NodeFacts, refuse_other_versions
from accsearch.executors.setup import Setup
from accsearch.result_lines.versions import installed_versions
from accsearch.workdir import WorkDir


def config(name: str, **cluster: object) -> Config:
    worker = {"kind": "command", "command": ["true"]}
    return build_config({"name": name, "grid": {"n": ["1"]}, "worker": worker, "cluster": cluster})


def setup(*configs: Config, address: str | None = None) -> Setup:
    return Setup(WorkDir(Path("/work")), configs, False, None, address, print)


def test_ray_that_is_not_installed_is_said_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "find_spec", lambda name: None)

    with pytest.raises(UsageError, match=r"pip install 'accsearch\[ray\]'"):
        open_executor("ray", setup(config("c")))


@pytest.mark.parametrize(
    ("executor", "address", "why"),
    [
        ("local", "head:6379", "--address names a cluster"),
        ("ray", "ray://head:10001", "give the head node as HOST:PORT"),
        ("ray", "127.0.0.1:1", "no Ray cluster answers there"),
        ("nomad", None, "no executor 'nomad'; there is local"),
    ],
)
def test_a_wrong_address_or_name_is_said(executor: str, address: str | None, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        open_executor(executor, setup(config("c"), address=address))


def test_configurations_of_one_run_share_a_cluster() -> None:
    assert setup(config("a", max_jobs=3), config("b", max_jobs=3)).cluster.max_jobs == 3
    with pytest.raises(UsageError, match="a and b run together and differ in `cluster:`"):
        _ = setup(config("a"), config("b", max_jobs=3)).cluster


def test_a_node_with_other_packages_is_refused_with_both_lists() -> None:
    here = dict(installed_versions())
    refuse_other_versions([NodeFacts("node-1", here, {})])

    with pytest.raises(UsageError) as refused:
        refuse_other_versions(
            [NodeFacts("node-1", here, {}), NodeFacts("node-2", here | {"torch": "1.0"}, {})]
        )

    here_part, _, there_part = str(refused.value).partition("; on node-2 ")
    assert here_part.startswith("node node-2 has other versions than this machine")
    assert f"torch {here['torch']}" in here_part
    assert "torch 1.0" in there_part and "python" in there_part
