"""A real Slurm of two nodes on this machine, without systemd: munged, slurmctld, and a slurmd for each node.

Each node is a host of namespaces, with a name and pids of its own: nothing works only because the nodes are one
machine, and a node dies with everything on it. Its GPUs are device files that do nothing.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.hosts import can_unshare

from accsearch.process_tree import descendants

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel")
NODES = ("n1", "n2")
GPUS = 2
"""GPUs of each node."""
PATIENCE = 60.0
"""Seconds after which a cluster that has not come up never will."""
NODE = ("unshare", "--uts", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c")
LASTING = 'hostname "$0"; slurmd -D -N "$0" & exec sleep infinity'
"""Outlives its slurmd, as a node does."""

SLURM_CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
GresTypes=gpu
ReturnToService=2
KillWait=5
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
PartitionName=main Nodes=ALL Default=YES MaxTime=60
PreemptType=preempt/partition_prio
PreemptMode=CANCEL
PartitionName=urgent Nodes=ALL PriorityTier=9
"""
NODE_LINE = "NodeName={name} NodeHostname={name} NodeAddr=127.0.0.1 Port={port} CPUs=4 Gres=gpu:{gpus}\n"


def why_no_cluster() -> str | None:
    """Return why no Slurm can be started here, None if it can."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"needs Slurm (slurmctld, slurmd, slurm-client, munge): no {', '.join(missing)}"
    if os.geteuid() != 0 or not can_unshare():
        return "needs root, to run Slurm's daemons and make hosts of namespaces"
    return None


class Cluster:
    """A Slurm at work; `env` has what its commands need."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start the daemons and wait until every node is idle."""
        self._configure()
        folder = self.folder
        key = folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(1024))
        options = {"key-file": key, "socket": folder / "munge.socket", "pid-file": folder / "munged.pid"}
        options |= {"log-file": folder / "munged.log", "seed-file": folder / "munged.seed"}
        # The folder of a test is closed to other users, which munged takes for a mistake.
        given = [f"--{name}={value}" for name, value in options.items()]
        self._daemons["munged"] = self._spawn("munged", "--foreground", "--force", *given)
        _until((folder / "munge.socket").exists, "munged does not listen")
        self._daemons["slurmctld"] = self._spawn("slurmctld", "-D", "-c")
        for name in NODES:
            self.start_node(name)
        self.await_idle(*NODES)

    def stop(self) -> None:
        """End every daemon, and with the nodes all that runs on them."""
        controller = self._daemons.pop("slurmctld", None)
        if controller is not None:
            controller.terminate()  # it has a child of its own to reap
            controller.wait()
        for daemon in self._daemons.values():
            daemon.kill()
            daemon.wait()

    def start_node(self, name: str) -> None:
        """Start a node, for the first time or again."""
        self._daemons[name] = self._spawn(*NODE, LASTING, name)

    def kill_node(self, name: str) -> None:
        """Let a node die with all that runs on it, and let the controller know at once, not after half a minute."""
        node = self._daemons.pop(name)
        node.kill()
        node.wait()
        self.command("scontrol", "update", f"nodename={name}", "state=down", "reason=dead")

    def kill_slurmd(self, name: str) -> None:
        """Kill the daemon of a node, whose jobs go on, and let the controller take the node for dead."""
        for pid in descendants(self._daemons[name].pid):
            if Path(f"/proc/{pid}/comm").read_text().strip() == "slurmd":
                os.kill(pid, 9)
        self.command("scontrol", "update", f"nodename={name}", "state=down", "reason=dead")

    def await_idle(self, *names: str) -> None:
        """Wait until nodes take jobs."""
        _until(
            lambda: {f"{name} idle" for name in names} <= set(self.command("sinfo", "-hN", "-o", "%N %t")),
            f"nodes are not idle, see the logs in {self.folder}",
        )

    def command(self, *line: str) -> list[str]:
        """Run a command of Slurm; return the lines that it prints, none while the controller is not there."""
        ended = subprocess.run(line, env=self.env, capture_output=True, check=False, text=True)
        return [each.strip() for each in ended.stdout.splitlines()]

    def _configure(self) -> None:
        folder, (port, *ports) = self.folder, _free_ports(1 + len(NODES))
        text = SLURM_CONF.format(host=os.uname().nodename, port=port, folder=folder)
        gres = ""
        for name, node_port in zip(NODES, ports, strict=True):
            (folder / f"spool-{name}").mkdir()
            files = [folder / f"{name}-gpu{number}" for number in range(GPUS)]
            for file in files:
                os.mknod(file, 0o20666, os.makedev(1, 3))  # what /dev/null is
                gres += f"NodeName={name} Name=gpu File={file}\n"
            nodes = NODE_LINE.format(name=name, port=node_port, gpus=GPUS)
            text = text.replace("PartitionName=main", f"{nodes}PartitionName=main")
        (folder / "slurm.conf").write_text(text)
        (folder / "gres.conf").write_text(gres)
        (folder / "cgroup.conf").touch()

    def _spawn(self, *line: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{line[-1].rpartition('/')[2]}.out").open("wb") as output:
            return subprocess.Popen(line, env=self.env, stdout=output, stderr=output, cwd=self.folder)


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Yield a cluster whose files are in `folder`."""
    cluster = Cluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _until(holds: Callable[[], bool], complaint: str) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, complaint
        time.sleep(0.02)
