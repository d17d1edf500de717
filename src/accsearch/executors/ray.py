"""Run tasks on the nodes of a Ray cluster: an actor of one GPU for each slot, which has a keeper beside its worker.

Ray places the actors, counts the GPUs and says when a node is lost. How a worker ended is the keeper's word.
"""

import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from accsearch.checkpoint.markers import DamagedMarker, Running, read_running
from accsearch.errors import UsageError
from accsearch.executors.copied_files import whole_lines
from accsearch.executors.executor import Ended, Job, Runner
from accsearch.executors.node_agent import NodeAgent, Order, end_and_remove, root_of
from accsearch.executors.ray_nodes import NodeFacts, facts, refuse_other_versions
from accsearch.executors.ray_runner import NAME, RayRunner, first_line, last_line
from accsearch.executors.setup import Setup
from accsearch.process_identity import host_name
from accsearch.task import Scalar
from accsearch.workdir import RUNNING, TaskPaths, WorkDir

ANSWER = 60.0
"""Seconds for which a node is waited for that does not answer."""
LEAVE = 10.0
"""Seconds for which actors may tidy up at the end of a run."""
CONNECT = 5.0
"""Seconds within which the head node has to accept a connection."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
AUTO = "auto"
Node = Mapping[str, Any]
"""What Ray says of a node."""


class NodeActor(NodeAgent):
    """The agent as an actor."""

    def __init__(self, scratch: Path, limits: Any) -> None:
        super().__init__(scratch, limits)
        self._scratch_of_node = scratch

    def facts(self) -> tuple[str, NodeFacts]:
        """Return the id of the node that Ray has chosen, and what there is to know of it."""
        return ray.get_runtime_context().get_node_id(), facts(self._scratch_of_node)


class RayExecutor:
    """A Ray cluster that this machine is a node of."""

    name = NAME

    def __init__(self, setup: Setup) -> None:
        """Connect; raises UsageError where there is no cluster, or where a node has other versions."""
        self._setup = setup
        self._cluster = setup.cluster
        self._scratch = Path(self._cluster.scratch)
        self._home: dict[Scalar, str] = {}  # pipeline → the node that ran it last
        self._runners: list[RayRunner] = []
        self._leaving: list[Any] = []
        _connect(setup.address or self._cluster.address)
        try:
            self._attempts = self._look_at_nodes()
        except BaseException:
            ray.shutdown()
            raise

    def capacity(self) -> int:
        resources = ray.cluster_resources()
        cores = int(resources.get("CPU", 0) // self._cluster.cpus_per_task)
        most = min(int(resources.get("GPU", 0)), cores) if self._setup.on_gpus else cores
        return most if self._setup.most is None else min(most, self._setup.most)

    def root_for(self, workdir: Path, nonce: str) -> Path:
        return root_of(self._scratch, nonce)

    def open_runner(self, lease: int | None) -> Runner:
        runner = RayRunner(self)
        self._runners = [*(each for each in self._runners if each.is_open), runner]
        return runner

    def adopt(self, running: Running, paths: TaskPaths) -> Runner | Ended | None:
        """Follow the attempt on the node that has a folder of it; what came of it is asked there, without waiting."""
        nodes = self._attempts.get(running.nonce)
        if nodes is None:
            return None
        return RayRunner.attached(self, self._actor(_on(nodes[0]), gpus=0, cpus=0), running, paths)

    def drain(self) -> None:
        for runner in self._runners:
            runner.withdraw()

    def clean_up(self, paths: TaskPaths, nonce: str) -> list[int]:
        """End what is left of an attempt on the nodes of its host, if there are any left."""
        try:
            running = read_running(paths.running)
        except DamagedMarker:
            running = None
        host = "" if running is None else running.host
        nodes = [node for node in _nodes() if host in ("", node["NodeManagerHostname"])]
        return self._end_on(nodes, nonce)

    def close(self) -> None:
        """Let idle actors tidy up, and leave the cluster; the keepers of others go on."""
        if self._leaving:
            ray.wait(self._leaving, num_returns=len(self._leaving), timeout=LEAVE)
        ray.shutdown()

    # What runners ask for.

    def place(self, job: Job) -> Any:
        """Make the actor for a job, on the node that ran its pipeline last if there is room."""
        home = self._home.get(job.task.axes.get("pipe", ""))
        strategy = "SPREAD" if home is None else _preferring(home)
        return self._actor(strategy, gpus=int(self._setup.on_gpus), cpus=self._cluster.cpus_per_task)

    def order(self, job: Job) -> Order:
        return _order_of(job, self._setup.workdir, self._cluster.cpus_per_task)

    def settled(self, job: Job, node: str) -> None:
        if (pipe := job.task.axes.get("pipe")) is not None:
            self._home[pipe] = node

    def dismiss(self, actor: Any, *, now: bool) -> None:
        if now:
            ray.kill(actor)
        else:
            self._leaving.append(actor.close.remote())

    def _actor(self, strategy: Any, *, gpus: int, cpus: int) -> Any:
        limits = self._setup.limits if gpus else None
        made: Any = ray.remote(NodeActor)
        return made.options(
            num_gpus=gpus,
            num_cpus=cpus,
            memory=self._cluster.memory if cpus else None,
            scheduling_strategy=strategy,
            max_concurrency=2,  # it answers and can be stopped meanwhile
        ).remote(self._scratch, limits)

    def _look_at_nodes(self) -> dict[str, list[str]]:
        """Return on which nodes each attempt is; raises UsageError for another version.

        What an earlier run of the work directory has given up, as on a node that was lost and is back, is ended there.
        """
        attempts: dict[str, list[str]] = {}
        stale: dict[str, list[Node]] = {}
        found: list[NodeFacts] = []
        owner, running = _owner_of(self._setup.workdir), self._running()
        for node, asked in self._ask_each(_nodes(), facts):
            try:
                found.append(ray.get(asked, timeout=ANSWER))
            except RayTaskError as error:
                name = node["NodeManagerHostname"]
                raise UsageError(f"node {name} cannot import accsearch: {last_line(error)}") from error
            except RayError as error:
                name = node["NodeManagerHostname"]
                self._setup.say(f"node {name} does not answer ({type(error).__name__})")
                continue
            for nonce, its_owner in found[-1].attempts.items():
                if nonce in running:
                    attempts.setdefault(nonce, []).append(node["NodeID"])
                elif its_owner == owner:
                    stale.setdefault(nonce, []).append(node)
        refuse_other_versions(found)
        for nonce, nodes in stale.items():
            self._end_on(nodes, nonce)
        return attempts

    def _running(self) -> set[str]:
        """Return the nonces of the attempts that are recorded as at work."""
        found = set()
        for _, path in self._setup.workdir.marked(RUNNING):
            with contextlib.suppress(DamagedMarker):
                if (running := read_running(path)) is not None:
                    found.add(running.nonce)
        return found

    def _end_on(self, nodes: Sequence[Node], nonce: str) -> list[int]:
        """End what is left of an attempt on these nodes; return the pids that could not be ended."""
        left: list[int] = []
        for _, asked in self._ask_each(nodes, end_and_remove, nonce):
            with contextlib.suppress(RayError):
                left += ray.get(asked, timeout=ANSWER)
        return left

    def _ask_each(
        self, nodes: Sequence[Node], function: Callable[..., Any], *arguments: Any
    ) -> list[tuple[Node, Any]]:
        """Return each node with the reference of what a function returns there."""
        call: Any = ray.remote(function)
        return [
            (
                node,
                call.options(num_cpus=0, scheduling_strategy=_on(node["NodeID"])).remote(
                    self._scratch, *arguments
                ),
            )
            for node in nodes
        ]


def _order_of(job: Job, workdir: WorkDir, threads: int | None) -> Order:
    """Return what a node needs to run a job; a torn last line of the results stays behind. Raises OSError."""
    return Order(
        job=job,
        owner=_owner_of(workdir),
        config=job.task.config,
        plan=workdir.plan(job.task.config).read_bytes(),
        results=whole_lines(job.paths.results),
        interpreter=sys.executable,
        threads=threads,
    )


def _owner_of(workdir: WorkDir) -> str:
    """Return what an attempt's folder on a node says of its work directory."""
    return f"{host_name()}:{workdir.root}"


def _connect(address: str | None) -> None:
    """Join the cluster at `host:port` of its head node, or the one that this machine is a node of."""
    if address is not None and address != AUTO:
        host, _, port = address.rpartition(":")
        if "/" in host or not port.isdecimal():
            raise UsageError(f"--address {address}: give the head node as HOST:PORT, and run on a node of it")
        try:
            socket.create_connection((host, int(port)), CONNECT).close()
        except OSError as error:
            raise UsageError(f"--address {address}: no Ray cluster answers there ({error})") from error
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    logging.getLogger("ray").setLevel(logging.CRITICAL)  # what it has to say comes as exceptions, too
    try:
        ray.init(address=address or AUTO, log_to_driver=False, configure_logging=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UsageError(f"cannot join a Ray cluster: {first_line(error)}") from error
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _nodes() -> list[Node]:
    return [node for node in ray.nodes() if node["Alive"]]


def _on(node: str) -> Any:
    return NodeAffinitySchedulingStrategy(node, soft=False)


def _preferring(node: str) -> Any:
    return NodeAffinitySchedulingStrategy(node, soft=True, _spill_on_unavailable=True)
