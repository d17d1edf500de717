"""The monitor against the real nvidia-ml-py and the stand-in library."""

import os
import subprocess
import sys

from tests.standin import StandIn

# Watches until it has read something new of each kind, then prints it.
WATCH = """
import sys, time
from accsearch.worker.monitor import open_monitor

with open_monitor(sys.argv[1]) as monitor:
    print("ready", flush=True)
    sys.stdin.readline()
    with monitor.watching() as seen:
        deadline = time.monotonic() + 30
        while not (seen.power and seen.utilization and seen.strangers) and time.monotonic() < deadline:
            time.sleep(0.01)
    print(seen.power[0][1], seen.utilization[0][1], *seen.strangers)
"""


def test_power_utilisation_and_strangers_are_read(standin: StandIn) -> None:
    standin.set_gpu(0, processes={1: 1 << 20})
    with subprocess.Popen(
        [sys.executable, "-c", WATCH, standin.uuid(0)],
        env=standin.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"

        standin.set_gpu(0, processes={1: 1 << 20, os.getpid(): 1 << 30}, power=321_000, utilization=87)
        process.stdin.write("go\n")
        process.stdin.flush()

        # Process 1 was there before, so it counts as the worker's own.
        assert process.stdout.readline() == f"321.0 87.0 {os.getpid()}\n"
