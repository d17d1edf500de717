"""A terminal that goes away, as it does when ssh is lost."""

import os
import pty
import select

from tests.faults.program import ACCSEARCH, LONG, Gate, Work


def test_a_run_outlives_its_terminal(work: Work, gate: Gate) -> None:
    # Given a run on a real terminal, with its live table
    work.shell(gate.script(), ["a", "b"])
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(work.folder)
        arguments = ["run", "c.yaml", "--gpus", "none", "--slots", "1", "--workdir", str(work.root)]
        os.execve(ACCSEARCH[0], [*ACCSEARCH, *arguments], work.env)
    gate.arrivals(1)
    shown = b""
    while b"waiting" not in shown:
        assert select.select([terminal], [], [], LONG)[0], shown
        shown += os.read(terminal, 65536)
    # When the terminal is gone while a task runs
    os.close(terminal)
    gate.open(2)
    gate.arrivals(1)
    # Then the run goes on to its end
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert work.states() == {"a": "done", "b": "done"}
    assert work.markers("running") == []
