"""Which device files go to a sandboxed program: those of its own GPUs."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.standin import StandIn

from accsearch.errors import NoGpuError, UsageError
from accsearch.gpus.device import Device
from accsearch.sandbox.gpu_files import device_files, files_of

GPUS = [Device(index, f"GPU-{index}", "NVIDIA H200") for index in range(2)]


@pytest.fixture
def machine(tmp_path: Path) -> tuple[Path, Path]:
    """Return the folders of devices and of the driver of two GPUs, which the driver numbers backwards."""
    devices, driver = tmp_path / "dev", tmp_path / "driver"
    (devices / "nvidia-caps").mkdir(parents=True)
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "nvidia-modeset"):
        (devices / name).touch()
    for gpu, number in zip(GPUS, (1, 0), strict=True):
        information = driver / f"0000:0{gpu.index}:00.0" / "information"
        information.parent.mkdir(parents=True)
        information.write_text(
            f"Model: \t\t NVIDIA H200\nIRQ:   \t\t 18\nGPU UUID: \t {gpu.uuid}\nDevice Minor: \t {number}\n",
            encoding="utf-8",
        )
    return devices, driver


def names(found: list[str]) -> list[str]:
    return [Path(path).name for path in found]


def test_a_gpu_comes_with_what_all_need_and_no_other(machine: tuple[Path, Path]) -> None:
    assert names(files_of([GPUS[0]], *machine)) == ["nvidia1", "nvidiactl", "nvidia-uvm"]
    assert names(files_of([GPUS[1]], *machine)) == ["nvidia0", "nvidiactl", "nvidia-uvm"]


def test_an_instance_comes_with_its_gpu(machine: tuple[Path, Path]) -> None:
    instance = Device(1, "MIG-1", "NVIDIA H200", mig=0, parent="GPU-1")
    assert names(files_of([instance], *machine)) == ["nvidia0", "nvidiactl", "nvidia-uvm", "nvidia-caps"]


def test_without_a_gpu_there_is_no_device(machine: tuple[Path, Path]) -> None:
    assert files_of([], *machine) == []
    assert device_files("", *machine) == []
    assert device_files("  ", *machine) == []


def test_without_nvml_the_name_of_a_gpu_has_to_do(
    machine: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent() -> None:
        raise NoGpuError("no NVIDIA driver")

    monkeypatch.setattr("accsearch.sandbox.gpu_files.open_nvml", absent)
    assert names(device_files("GPU-0", *machine))[0] == "nvidia1"
    for visible in (None, "0", "GPU-0,GPU-7"):
        with pytest.raises(UsageError, match="does not say which"):
            device_files(visible, *machine)


def test_every_visible_gpu_of_the_driver_is_handed_over(
    machine: tuple[Path, Path], standin: StandIn, tmp_path: Path
) -> None:
    for index in range(2):
        standin.set_gpu(index, uuid=f"GPU-{index}")
    script = (
        "import sys; from pathlib import Path; from accsearch.sandbox.gpu_files import device_files; "
        "print([Path(each).name for each in device_files(sys.argv[1], *map(Path, sys.argv[2:]))])"
    )
    found = {
        visible: subprocess.run(
            [sys.executable, "-c", script, visible, *map(str, machine)],
            env=standin.environment(),
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        for visible in ("1", "GPU-0", "7")
    }
    assert found == {
        "1": "['nvidia0', 'nvidiactl', 'nvidia-uvm']",
        "GPU-0": "['nvidia1', 'nvidiactl', 'nvidia-uvm']",
        "7": "[]",
    }


def test_a_gpu_that_cannot_be_distinguished_from_others_is_refused(machine: tuple[Path, Path]) -> None:
    devices, driver = machine
    with pytest.raises(UsageError, match=r"which of .* is GPU-7"):
        files_of([Device(0, "GPU-7", "NVIDIA H200")], *machine)
    (devices / "nvidia1").unlink()
    assert names(files_of([GPUS[0]], devices, driver.with_name("none")))[0] == "nvidia0"
