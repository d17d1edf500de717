"""Several workers that need the same model fetch it once between them."""

import os
import subprocess
import sys
from pathlib import Path

from tests.faults.hub import COMMIT, MODEL, Hub

WORKERS = 3
LOAD = f"""
import os
import sys
from pathlib import Path
from accsearch.worker.quiet import hush
hush()
from accsearch.config.models import resolve_model
from accsearch.worker.machine import choose_machine
from accsearch.worker.pipelines import commit_of, load_pipeline
from accsearch.demo.tiny import build_tiny_sd

machine = choose_machine("cpu", "float32")
info = resolve_model({{"name": "tiny", "model": "{MODEL}", "class": "StableDiffusionPipeline"}})
# The model is made here, so that what they all import is imported once, before they part.
build_tiny_sd(Path(sys.argv[1]))
workers = []
for _ in range({WORKERS}):
    pid = os.fork()
    if pid == 0:
        pipeline = load_pipeline(info, "DDIM", machine)
        loaded = type(pipeline).__name__ == "StableDiffusionPipeline"
        os._exit(0 if loaded and commit_of(pipeline) == "{COMMIT}" else 1)
    workers.append(pid)
print(*(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in workers))
"""


def test_workers_that_need_the_same_model_fetch_each_file_once(tmp_path: Path) -> None:
    # Given a hub that answers nobody before all workers have asked, and one empty cache
    model = tmp_path / "model"
    with Hub(model, together=WORKERS) as hub:
        env = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        env |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "cache")}
        env |= {"OMP_NUM_THREADS": "1", "NO_PROXY": "127.0.0.1"}
        env |= {"HF_HUB_DOWNLOAD_TIMEOUT": "200", "HF_HUB_ETAG_TIMEOUT": "200"}
        # When they all load the model at once
        command = [sys.executable, "-c", LOAD, str(model)]
        ended = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
    # Then each has it and knows its commit, and each file was fetched once
    assert ended.stdout.split() == ["0"] * WORKERS, ended.stderr
    assert set(hub.fetched.values()) == {1}, hub.fetched
    assert sum(name.endswith(".safetensors") for name in hub.fetched) == 3
