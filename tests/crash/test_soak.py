"""Two thousand tasks on eight pretended GPUs while everything that can go wrong does, again and again."""

import errno
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.crash.chaos import Chaos, body, configure, journal, tasks
from tests.crash.checks import assert_complete, assert_sound, done_markers
from tests.crash.shim import EVER, GROWING, Shim
from tests.faults.program import Work
from tests.standin import GIB, StandIn

NUMBER = int(os.environ.get("ACCSEARCH_SOAK_TASKS", "2000"))
GPUS = 8
ROUNDS = 400
CODES = (0, 1, 3, 4, -signal.SIGKILL)
ON_GPU = f"""
exec 8>>locks/$CUDA_VISIBLE_DEVICES
flock -n -E 77 8 || {{ test $? != 77 || echo "shared $CUDA_VISIBLE_DEVICES" >> journal; exit 1; }}
echo {2 * GIB} > "$STANDIN_NVML_HOLDERS/$CUDA_VISIBLE_DEVICES/$$"
"""
FLOODS = (
    "yes 'a line of output' | head -c 20000000; echo",
    r"yes | tr '\n' '\r' | head -c 20000000; echo",
)


@pytest.fixture
def machine(tmp_path_factory: pytest.TempPathFactory, gpu_work: Work) -> StandIn:
    """Eight GPUs, which `gpu_work` sees."""
    standin = StandIn(tmp_path_factory.mktemp("machine"), gpus=GPUS)
    gpu_work.env |= standin.environment()
    return standin


def accidents(
    rng: random.Random, standin: StandIn, shim: Shim, folder: Path
) -> dict[str, Callable[[], None]]:
    """Return what may happen beside kills, by name."""

    def lose() -> None:
        standin.lose(rng.randrange(GPUS))

    def find() -> None:
        for index in range(GPUS):
            standin.restore(index)

    def fill() -> None:
        shim.arm(errno.ENOSPC, 1, EVER, GROWING)

    def empty() -> None:
        shim.disarm()

    def crowd() -> None:
        """Let another user's process show up on a GPU until it is next looked for."""
        standin.set_gpu(rng.randrange(GPUS), processes={os.getpid(): 4 * GIB})

    def leave() -> None:
        for index in range(GPUS):
            standin.set_gpu(index, processes={})

    return {each.__name__: each for each in (lose, find, fill, empty, crowd, leave)}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_thousand_tasks_survive_everything(gpu_work: Work, machine: StandIn, tmp_path: Path) -> None:
    # Given tasks that hold their GPU and some of which flood their log
    work = gpu_work
    rng = random.Random(2000)
    names = tasks(NUMBER)
    floods = {name: FLOODS[number % 2] for number, name in enumerate(rng.sample(names, NUMBER // 50))}
    script = ON_GPU + body(rng, names, 0.06, floods)
    configure(work, names, script, gpus={"samples": 1, "release_timeout": "20s"}, retry={"backoff": "0s"})
    shim = Shim(tmp_path, work.root)
    weights = {"scheduler": 10, "keeper": 20, "worker": 25, "lose": 8, "find": 10, "fill": 3, "empty": 12}
    weights |= {"crowd": 6, "leave": 10}
    finished: dict[str, str] = {}
    codes: Counter[int] = Counter()
    begun = time.monotonic()
    with Chaos(rng, work, (0.05, 0.3), weights, accidents(rng, machine, shim, work.folder)) as chaos:
        # When all of that happens while the run is started again and again
        while len(finished) < NUMBER:
            assert codes.total() < ROUNDS, codes
            with work.start_run(**shim.environment()) as run:
                chaos.scheduler = run.pid
                code = run.end(patience=900)
                codes[code] += 1
            assert code in CODES, run.text
            assert "Traceback" not in run.text
            # Then each marker is whole at any time, and a finished task stays as it was
            assert_sound(work)
            now = done_markers(work)
            assert finished.items() <= now.items()
            finished = now
    # Then, left alone, everything is done
    for index in range(GPUS):
        machine.set_gpu(index, errors={}, processes={})
    last = work.run()
    assert last.process.returncode == 0, last.text
    words = journal(work)
    figures = {
        "seconds": round(time.monotonic() - begun),
        "runs": codes.total() + 1,
        "exit codes": dict(codes),
        "accidents": dict(chaos.done),
        "attempts": words["begin"],
        "tasks": NUMBER,
    }
    print(json.dumps(figures))
    assert_complete(work, names)
    assert set(work.states().values()) == {"done"}
    assert words["twice"] == words["shared"] == 0
    assert min(chaos.done[what] for what in weights) > 0, figures
    assert all(path.stat().st_size < 70 << 20 for path in work.root.glob("logs/*/*.log"))
    assert not any("leased" in row["why"] for row in work.json("gpus", "--json"))
