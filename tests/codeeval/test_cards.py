"""Which device files go to a caged program: those of its own cards."""

from pathlib import Path

import pytest

from accsearch.codeeval.sandbox.cards import card_files, files_of
from accsearch.errors import UsageError
from accsearch.gpus.device import Device

CARDS = [Device(index, f"GPU-{index}", "NVIDIA H200") for index in range(2)]


@pytest.fixture
def machine(tmp_path: Path) -> tuple[Path, Path]:
    """Return the folders of devices and of the driver of two cards, which the driver numbers backwards."""
    devices, driver = tmp_path / "dev", tmp_path / "driver"
    (devices / "nvidia-caps").mkdir(parents=True)
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "nvidia-modeset"):
        (devices / name).touch()
    for card, number in zip(CARDS, (1, 0), strict=True):
        told = driver / f"0000:0{card.index}:00.0" / "information"
        told.parent.mkdir(parents=True)
        told.write_text(
            f"Model: \t\t NVIDIA H200\nIRQ:   \t\t 18\nGPU UUID: \t {card.uuid}\nDevice Minor: \t {number}\n",
            encoding="utf-8",
        )
    return devices, driver


def names(found: list[str]) -> list[str]:
    return [Path(path).name for path in found]


def test_a_card_comes_with_what_all_need_and_no_other(machine: tuple[Path, Path]) -> None:
    assert names(files_of([CARDS[0]], *machine)) == ["nvidia1", "nvidiactl", "nvidia-uvm"]
    assert names(files_of([CARDS[1]], *machine)) == ["nvidia0", "nvidiactl", "nvidia-uvm"]


def test_an_instance_comes_with_its_card(machine: tuple[Path, Path]) -> None:
    instance = Device(1, "MIG-1", "NVIDIA H200", mig=0, parent="GPU-1")
    assert names(files_of([instance], *machine)) == ["nvidia0", "nvidiactl", "nvidia-uvm", "nvidia-caps"]


def test_without_a_card_there_is_no_device(machine: tuple[Path, Path]) -> None:
    assert files_of([], *machine) == []
    assert card_files("") == []


def test_a_card_that_cannot_be_told_from_others_is_refused(machine: tuple[Path, Path]) -> None:
    devices, driver = machine
    with pytest.raises(UsageError, match=r"which of .* is GPU-7"):
        files_of([Device(0, "GPU-7", "NVIDIA H200")], *machine)
    (devices / "nvidia1").unlink()
    assert names(files_of([CARDS[0]], devices, driver.with_name("none")))[0] == "nvidia0"
