"""What is given to Slurm's commands, and how their answers are read."""

import subprocess
import sys
from pathlib import Path

import pytest

from accsearch.config.schema import ClusterConfig
from accsearch.executors import slurm_job
from accsearch.executors.slurm_job import QueueEntry, SlurmError, options, read_queue, script

JOBS = Path("/shared/my work/checkpoints/.jobs")


def test_a_job_gets_one_gpu_and_what_the_configuration_says() -> None:
    cluster = ClusterConfig(
        partition="gpu", account="lab", time=5400.0, constraint="h200", memory=24 << 30, cpus_per_task=8
    )

    given = options(cluster, "accsearch-1", JOBS, on_gpus=True)

    wanted = {
        "--partition=gpu", "--account=lab", "--time=90", "--constraint=h200", "--mem=24576M", "--cpus-per-task=8",
        "--gres=gpu:1", "--no-requeue", "--signal=B:TERM@30", "--job-name=accsearch-1",
    }  # fmt: skip
    assert wanted <= set(given)


def test_nothing_is_asked_for_that_nobody_wants() -> None:
    given = options(ClusterConfig(), "accsearch-1", JOBS, on_gpus=False)

    assert not [
        each for each in given if each.startswith(("--gres", "--partition", "--account", "--time", "--mem"))
    ]


def test_other_generic_resources_replace_the_gpu() -> None:
    assert "--gres=gpu:h200:1" in options(ClusterConfig(gres="gpu:h200:1"), "n", JOBS, on_gpus=True)


def test_the_script_runs_the_set_up_and_becomes_the_keeper() -> None:
    text = script(["module load cuda", "export A=1"], JOBS)

    first, *setup, last = text.splitlines()
    assert first == "#!/bin/bash"
    assert setup == ["module load cuda", "export A=1"]
    assert last.startswith(f"exec {sys.executable} -P -m accsearch.keeper.job '/shared/my work/")
    assert subprocess.run(["bash", "-n"], input=text, text=True, check=False).returncode == 0


def test_a_listing_of_the_queue_is_read_by_job() -> None:
    listed = "12_0|RUNNING|None|n1\n12_1|PENDING|Resources|\n9_0|NODE_FAIL|NodeDown|n2\n"

    found = read_queue(listed)

    assert found["12_0"] == QueueEntry("RUNNING", "None", "n1")
    assert [job for job, entry in found.items() if entry.is_over] == ["9_0"]
    assert found["12_1"].reason == "Resources"


def test_a_machine_without_slurm_is_named_as_such(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SlurmError, match="no command squeue: is this a login node"):
        slurm_job.queue("n")


def test_a_command_fails_with_the_last_line_that_it_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "sbatch"
    program.write_text("#!/bin/sh\necho 'sbatch: error: a' >&2; echo 'sbatch: error: b' >&2; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    with pytest.raises(SlurmError, match=r"^sbatch: error: b$"):
        slurm_job.submit([], "", 1)
