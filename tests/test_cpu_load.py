"""What other processes take of the cores, measured beside a real busy one."""

import subprocess
from pathlib import Path

from tests.busy import CORES, bound, busy_core

SETTINGS = """
from accsearch.cpu_load import settings_now
print(settings_now({environment}))
"""
MEASURE = """
import subprocess, sys
from accsearch.cpu_load import LoadMeter, tree_ticks
with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as own:
    meter, began = LoadMeter(), tree_ticks(own.pid)
    print(meter.others_soon(1.0), (tree_ticks(own.pid) - began) / os.sysconf("SC_CLK_TCK"))
    own.kill()
"""


def said(code: str) -> str:
    ended = subprocess.run(bound(code), capture_output=True, text=True, check=True)
    return ended.stdout.strip()


def test_beside_a_busy_core_one_of_two_is_left() -> None:
    with busy_core():
        settings = said(SETTINGS.format(environment={}))
    assert "'OMP_NUM_THREADS': '1'" in settings
    assert "'OMP_WAIT_POLICY': 'PASSIVE'" in settings


def test_the_user_s_number_of_threads_stands_beside_a_busy_core() -> None:
    with busy_core():
        assert "OMP_NUM_THREADS" not in said(SETTINGS.format(environment={"OMP_NUM_THREADS": "2"}))


def test_a_process_of_another_s_counts_and_an_own_child_does_not() -> None:
    with busy_core():
        others, own = map(float, said(MEASURE).split())
    # Both keep a core busy where nothing else runs: if the child counted too, the sum would be three.
    assert others > 0.2
    assert others + own < len(CORES) + 0.2


def test_what_cannot_be_read_is_unknown(monkeypatch, tmp_path: Path) -> None:
    from accsearch import cpu_load

    monkeypatch.setattr(cpu_load, "_STAT", tmp_path / "absent")
    assert cpu_load.LoadMeter().others_soon() is None
    (tmp_path / "still").write_text("".join(f"cpu{n} 0 0 0 0 0 0 0 0 0 0\n" for n in range(256)))
    monkeypatch.setattr(cpu_load, "_STAT", tmp_path / "still")
    assert cpu_load.LoadMeter().others_soon() is None
