"""`best --snippet` prints a program that runs in a fresh interpreter and makes an image."""

import subprocess
import sys

from tests.cli.test_results_commands import ONE, ended, gain
from tests.faults.program import Work
from tests.faults.search import Search

FASTER = "tome-r0.3-d1"
CPU_TORCH = "from accsearch.demo.operators import mend_torchvision\nmend_torchvision()\n"
"""The registry's torchvision does not load beside a torch for the CPU, as the tests have it, without this."""


def test_the_program_of_an_upper_bound_runs(work: Work) -> None:
    search = Search(work)
    search.configure(pipe="demo")
    search.answer({FASTER: gain(1.5, 0.004, (0.001, 0.008))})
    assert work.run(*ONE).process.returncode == 0
    printed = ended(work, "best", "--snippet")
    assert printed.returncode == 0
    program = printed.stdout.decode()
    assert f'accsearch.accelerate(pipe, "{FASTER}", seed=42)' in program
    assert "num_inference_steps=4" in program
    ran = subprocess.run(
        [sys.executable, "-"],
        input=CPU_TORCH + program,
        cwd=work.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert (work.folder / "image.png").stat().st_size > 0


def test_where_nothing_is_faster_it_says_so(work: Work) -> None:
    search = Search(work)
    search.configure()
    assert work.run(*ONE).process.returncode == 0
    assert (
        ended(work, "best", "--snippet").stdout == b"# nothing is faster than the baseline within the limit\n"
    )
