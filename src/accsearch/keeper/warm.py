"""The process that a slot's workers are forked from, as its keeper has it: `accsearch.worker.warm` runs in it."""

import contextlib
import json
import os
import select
import signal
import socket
from collections.abc import Mapping
from typing import Any

from accsearch.executors.messages import LAUNCHED, NONCE
from accsearch.gpus.pinning import TOLERATED
from accsearch.keeper.child import Child, spawn

PER_ATTEMPT = (NONCE, TOLERATED, LAUNCHED)
"""Environment variables that differ from worker to worker and that nothing reads while it is imported."""
LONGEST = 1 << 12
"""Bytes of an answer."""


class WarmProcess:
    """At most one process, which forks one worker at a time; another one is started where the environment differs.

    It is this keeper's child, and so are the workers: the process that forks a worker for it ends at once. It dies with
    the keeper, unless it has become a worker itself because no fork of it could be one.
    """

    def __init__(self) -> None:
        self._child: Child | None = None
        self._channel: socket.socket | None = None
        self._gate: int | None = None
        self._environment: Mapping[str, str] = {}
        self._forked = False
        self._useless: Mapping[str, str] | None = None
        self.why_none = ""

    @property
    def pid(self) -> int | None:
        """The process itself; None where there is none."""
        return None if self._child is None else self._child.pid

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when `take` has the answer to `ask`."""
        assert self._channel is not None
        return self._channel.fileno()

    def ask(self, job: Mapping[str, Any], env: Mapping[str, str], output: int) -> bool:
        """Ask for the worker of `job` with stdout and stderr in `output`; return whether there will be an answer.

        Raises OSError where the job's folder is not there.
        """
        if not job["imports"]:
            return False
        os.chdir(job["cwd"])
        environment = {**env, NONCE: "0" * len(env[NONCE])}
        for name in (TOLERATED, LAUNCHED):
            environment.pop(name, None)
        if environment == self._useless:
            return False
        if self._child is not None and (self._has_ended() or environment != self._environment):
            self.end()
        if self._child is None:
            self._start(job, environment, output)
        assert self._channel is not None
        request = {
            "imports": job["imports"],
            "arguments": job["argv"][job["argv"].index("accsearch.worker") + 1 :],
            "cwd": job["cwd"],
            "env": {name: env[name] for name in PER_ATTEMPT if name in env},
        }
        gate, self._gate = os.pipe()
        try:
            socket.send_fds(self._channel, [json.dumps(request).encode()], [output, gate])
        except OSError:
            self._fail("it has ended")
            return False
        finally:
            os.close(gate)
        return True

    def take(self) -> Child | None:
        """Return the worker, which waits for `release`; None where it has to be started anew.

        Afterwards `why_none` says why there is no process, if there is none.
        """
        assert self._child is not None and self._channel is not None
        try:
            data = self._channel.recv(LONGEST)
        except ConnectionResetError:
            data = b""
        if not data:
            self._fail("it has ended")
            return None
        answer = json.loads(data)
        if answer["pid"] == self._child.pid:
            worker = self._child
            self.why_none = answer["obstacle"]
            self._channel.close()
            self._child = self._channel = None
            self._forked = False
            return worker
        self._forked = True
        return Child(answer["pid"], os.pidfd_open(answer["pid"]))

    def release(self) -> None:
        """Let the worker that was taken begin."""
        if self._gate is None:
            return  # `interrupt` came after the answer
        with contextlib.suppress(BrokenPipeError):  # it was killed
            os.write(self._gate, b"\n")
        self._close_gate()

    def interrupt(self) -> None:
        """Let the answer be that there is no worker; the next one is asked of another process."""
        assert self._child is not None
        self._forked = True  # it is not to blame
        self._child.send(signal.SIGKILL)
        self._close_gate()

    def end(self) -> None:
        """End the process; a worker that was not released ends too."""
        self._close_gate()
        if self._child is not None and self._channel is not None:
            self._channel.close()
            self._child.send(signal.SIGKILL)
            self._child.reap()
        self._child = self._channel = None
        self._forked = False

    def _start(self, job: Mapping[str, Any], environment: dict[str, str], output: int) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        argv = [job["argv"][0], "-P", "-m", "accsearch.worker.warm"]
        try:
            self._child = spawn(argv, environment, job["cwd"], output, theirs.fileno())
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self._channel = ours
        self._environment = environment

    def _has_ended(self) -> bool:
        assert self._child is not None
        poller = select.poll()
        poller.register(self._child.pidfd, select.POLLIN)
        return bool(poller.poll(0))

    def _fail(self, why: str) -> None:
        """End what gave no worker; one that has never given any is not started again for this environment."""
        self.why_none = why
        if not self._forked:
            self._useless = self._environment
        self.end()

    def _close_gate(self) -> None:
        if self._gate is not None:
            os.close(self._gate)
            self._gate = None
