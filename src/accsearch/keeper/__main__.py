"""Entry point of the keepers: `python -m accsearch.keeper`, which forks one for each slot that is asked for.

The server's control channel is descriptor 3: a message comes with the descriptors of a slot (its channel,
and on a GPU its lease), the answer is the pid of the keeper. The server ends with its scheduler, a keeper
when its worker has ended. A keeper has its slot's channel as descriptor 3 and the lease, if there is one, as
4: held here and inherited by every worker, so that the lease ends with the last of them.
"""

import contextlib
import fcntl
import os
import signal
import socket
from collections.abc import Sequence

from accsearch.executors.messages import CHANNEL, LEASE
from accsearch.keeper.child import become_subreaper
from accsearch.keeper.keeper import Keeper, catch_termination


def main() -> None:
    """Fork a keeper for each slot that is asked for, until the scheduler is gone."""
    os.set_inheritable(CHANNEL, False)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a keeper as its parent
    become_subreaper()  # what a killed keeper leaves behind is found among our children, recorded or not
    with socket.socket(fileno=CHANNEL) as control:
        while True:
            try:
                asked, descriptors, _, _ = socket.recv_fds(control, 1, 2)
            except ConnectionResetError:
                return
            if not asked:
                return
            pid = os.fork()
            if pid == 0:
                try:
                    keep(descriptors)
                finally:
                    # Nothing is buffered, and who waits for the slot should not wait for an orderly teardown.
                    os._exit(0)
            for descriptor in descriptors:
                os.close(descriptor)
            with contextlib.suppress(BrokenPipeError):
                control.send(str(pid).encode())


def keep(descriptors: Sequence[int]) -> None:
    """Be the keeper of a slot with these descriptors until it is not needed any more."""
    os.setsid()
    # Moved out of the way first, so that no target is still somebody's source.
    moved = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, LEASE + 1) for each in descriptors]
    os.dup2(moved[0], CHANNEL, inheritable=False)
    if len(moved) > 1:
        os.dup2(moved[1], LEASE)
    os.closerange(CHANNEL + len(moved), os.sysconf("SC_OPEN_MAX"))  # what a scheduler's parent left open, too
    become_subreaper()
    with socket.socket(fileno=CHANNEL) as channel:
        Keeper(catch_termination(), channel).serve()


if __name__ == "__main__":
    main()
