"""Which GPUs a run may use: the mask as CUDA reads it, `--gpus`, exclusions."""

import pytest

from accsearch.errors import UsageError
from accsearch.gpus.device import Device
from accsearch.gpus.visible import admissions, select

GPUS = [
    Device(0, "GPU-aaaa1111", "H200"),
    Device(1, "GPU-aaaa2222", "H200"),
    Device(2, "GPU-bbbb0000", "H200", unusable="in MIG mode: its instances are offered instead"),
    Device(2, "MIG-cccc0000", "MIG 1g.18gb", mig=0, parent="GPU-bbbb0000"),
    Device(2, "MIG-dddd0000", "MIG 1g.18gb", mig=1, parent="GPU-bbbb0000"),
    Device(3, "", "unknown", unusable="lost: GPU is lost"),
]
ALL = ["0", "1", "2:0", "2:1"]


def labels(
    mask: str | None = None, option: str | None = None, exclude: tuple[str | int, ...] = ()
) -> list[str]:
    return [device.label for device in select(GPUS, mask, option, exclude)]


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (None, ALL),
        ("", []),
        ("-1", []),
        ("none", []),
        ("NoDevFiles", []),
        ("1", ["1"]),
        ("1,0", ["0", "1"]),
        (" 0 , 1 ", ["0", "1"]),
        ("0,-1,1", ["0"]),
        ("0,9,1", ["0"]),
        ("0,0", []),
        ("1x", ["1"]),
        ("GPU-aaaa2222", ["1"]),
        ("GPU-b", ["2:0", "2:1"]),
        ("GPU-aaaa", []),
        ("GPU-aaaa1,GPU-none,GPU-aaaa2222", ["0"]),
        ("MIG-dddd0000", ["2:1"]),
        ("2", ["2:0", "2:1"]),
    ],
)
def test_mask_means_what_cuda_takes_it_for(mask: str | None, expected: list[str]) -> None:
    assert labels(mask) == expected


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("none", []),
        ("0", ["0"]),
        ("1,0", ["0", "1"]),
        ("0,0", ["0"]),
        ("2", ["2:0", "2:1"]),
        ("2:1", ["2:1"]),
        ("GPU-aaaa1111,MIG-c", ["0", "2:0"]),
        ("0,3", ["0"]),
    ],
)
def test_option_chooses(option: str, expected: list[str]) -> None:
    assert labels(option=option) == expected


@pytest.mark.parametrize("option", ["7", "2:5", "GPU-none", "GPU-aaaa", "all", "", "0,", "-1"])
def test_an_unknown_choice_is_a_usage_error(option: str) -> None:
    with pytest.raises(UsageError, match="this machine has 0, 1, 2, 2:0, 2:1, 3"):
        labels(option=option)


def test_the_option_counts_all_gpus_and_cannot_widen_the_mask() -> None:
    assert labels(mask="1", option="1") == ["1"]
    with pytest.raises(UsageError, match="CUDA_VISIBLE_DEVICES hides GPU 0"):
        labels(mask="1", option="0")


def test_exclusions_by_index_and_uuid() -> None:
    assert labels(exclude=(0, "GPU-bbbb0000")) == ["1"]
    assert labels(exclude=("2:0", "GPU-of-another-machine")) == ["0", "1", "2:1"]


def test_each_refusal_has_its_reason() -> None:
    reasons = [why for _, why in admissions(GPUS, "0,1,2", "0,2", (0,))]

    assert reasons == [
        "excluded by the configuration (gpus.exclude)",
        "not in --gpus 0,2",
        "in MIG mode: its instances are offered instead",
        None,
        None,
        "lost: GPU is lost",
    ]
