"""What other hosts are recorded to have at work in the work directory, and how to free it."""

from collections.abc import Iterator

from accsearch.checkpoint.heartbeat import SILENCE
from accsearch.checkpoint.ownership import other_hosts
from accsearch.doctor.finding import Finding, Severity
from accsearch.workdir import WorkDir


def check_hosts(workdir: WorkDir) -> Iterator[Finding]:
    """Name each other host that has a run or tasks here; only a running scheduler can know whether it is alive."""
    for host, found in other_hosts(workdir).items():
        what = [f"a run ({found.holder})"] if found.holder is not None else []
        if found.tasks:
            names = ", ".join(list(found.tasks)[:3]) + (", ..." if len(found.tasks) > 3 else "")
            what.append(f"{len(found.tasks)} tasks ({names})")
        yield Finding(
            "hosts",
            Severity.NOTE,
            f"{host}: {' and '.join(what)} recorded as at work there; `accsearch run` here takes over what shows no "
            f"sign of life for {SILENCE:.0f} s; `accsearch stop --host {host}` frees it at once, if that host is gone",
        )
