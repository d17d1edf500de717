"""What the nodes of a Ray cluster are asked before anything starts on them, and what follows from their answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from accsearch.errors import UsageError
from accsearch.executors.node_agent import attempts_in
from accsearch.process_identity import host_name
from accsearch.result_lines.versions import installed_versions


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """A node's name, the versions of its packages, and the attempts (nonces) on it with their work directories."""

    host: str
    versions: Mapping[str, str]
    attempts: Mapping[str, str]


def facts(scratch: Path) -> NodeFacts:
    """Return what there is to know of the node that this runs on."""
    return NodeFacts(host_name(), dict(installed_versions()), attempts_in(scratch))


def refuse_other_versions(nodes: Sequence[NodeFacts]) -> None:
    """Raise UsageError, with both lists, where a node would measure with other packages than this machine has."""
    here = installed_versions()
    for node in nodes:
        if dict(node.versions) != dict(here):
            raise UsageError(
                f"node {node.host} has other versions than this machine, and results would not compare: here "
                f"{_listed(here)}; on {node.host} {_listed(node.versions)}"
            )


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
